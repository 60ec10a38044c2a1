// The form of a schedule while somebody types: the server says what it would do, and
// what is wrong; nothing is decided here.
"use strict";

(() => {
  const PAUSE = 250; // ms without a key before the server is asked
  const FIELDS = {
    crontab: ["expr", "day_match", "dst"],
    every: ["number", "anchor"],
    at: ["when", "deadline"],
    solar: ["event", "latitude"],
  };

  function rowOf(name) {
    return document.querySelector(`.form-row.field-${name}`);
  }

  function showKind(form) {
    for (const [kind, names] of Object.entries(FIELDS)) {
      for (const name of names) {
        rowOf(name).hidden = kind !== form.elements.kind.value;
      }
    }
  }

  function showErrors(form, touched, errors) {
    for (const name of touched) {
      const input = form.elements[name];
      const box = input.closest(".fieldBox, .form-row");
      for (const old of box.querySelectorAll(".errorlist")) {
        old.remove();
      }
      const found = errors[name] || [];
      box.classList.toggle("errors", found.length > 0);
      if (found.length === 0) {
        continue;
      }
      const list = document.createElement("ul");
      list.className = "errorlist";
      for (const words of found) {
        list.append(Object.assign(document.createElement("li"), { textContent: words }));
      }
      box.prepend(list);
    }
  }

  function watch(form, panel) {
    const touched = new Set();
    let timer = 0;
    let asking = new AbortController();

    async function ask() {
      asking.abort();
      asking = new AbortController();
      try {
        const answer = await fetch(panel.dataset.previewUrl, {
          method: "POST",
          body: new FormData(form),
          signal: asking.signal,
        });
        if (!answer.ok) {
          throw new Error(String(answer.status));
        }
        const told = await answer.json();
        panel.innerHTML = told.html;
        showErrors(form, touched, told.errors);
      } catch (error) {
        if (error.name !== "AbortError") {
          panel.textContent = "The server does not answer; it will be checked when saved.";
        }
      }
    }

    form.addEventListener("input", (event) => {
      if (event.target.name) {
        touched.add(event.target.name);
      }
      // What is wrong may be told at another field of the same trigger.
      if (["tz", "day_match", "dst", "unit"].includes(event.target.name)) {
        touched.add({ crontab: "expr", every: "number", at: "when", solar: "event" }[
          form.elements.kind.value
        ]);
      }
      showKind(form);
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    });
    showKind(form);
  }

  document.addEventListener("DOMContentLoaded", () => {
    const panel = document.querySelector("[data-preview-url]");
    const form = document.getElementById("schedule_form");
    if (panel && form && form.elements.kind) {
      watch(form, panel);
    }
  });
})();
