// Follows an order: asks once a second until its tasks have ended, then shows the whole
// page anew. Without JavaScript the page has a link to refresh.
"use strict";

const SAID = {
  pending: "waiting", queued: "waiting", running: "under way", succeeded: "done",
  dead: "failed", cancelled: "cancelled", gone: "done long ago",
};
const order = document.getElementById("order");

async function follow() {
  try {
    const answer = await fetch(order.dataset.status);
    const now = await answer.json();
    for (const task of now.tasks) {
      const row = order.querySelector(`[data-task="${task.id}"]`);
      if (row.className !== task.status) {
        row.className = task.status;
        row.querySelector(".said").textContent = SAID[task.status] ?? task.status;
      }
    }
    if (now.done) {
      window.location.reload();
      return;
    }
  } catch {
    // The shop is away for a moment: ask again.
  }
  window.setTimeout(follow, 1000);
}

if (order.dataset.done === "no") {
  window.setTimeout(follow, 500);
}
