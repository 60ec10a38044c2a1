"""The assortment of Switchyard Supply."""

from decimal import Decimal

from shop.models import Product, StockRecord

#: Of each product in the store of a new shop.
IN_STOCK = 1000

#: slug, name, price, picture, description; in the catalogue's sequence.
ASSORTMENT = (
    (
        "shunter-v60",
        "Shunting locomotive V 60",
        "189.00",
        "locomotive",
        "Three axles, side rods that move, and a coupling that lets go where you want.",
    ),
    (
        "boxcar-gs",
        "Boxcar Gs",
        "34.90",
        "wagon",
        "Sliding doors, sprung buffers, weathered just enough to have been somewhere.",
    ),
    (
        "flexible-track",
        "Flexible track, 90 cm",
        "6.80",
        "track",
        "Nickel silver on sleepers with a grain. Bends without kinks, stays as bent.",
    ),
    (
        "turnout-left",
        "Turnout, left",
        "27.50",
        "points",
        "Twelve degrees, polarised frog, a point motor under the sleepers.",
    ),
    (
        "double-slip",
        "Double slip",
        "64.00",
        "points",
        "Four routes in the length of one. The heart of every yard.",
    ),
    (
        "main-signal",
        "Semaphore main signal",
        "42.75",
        "signal",
        "Two arms, a lantern that glows, and the pause before the arm falls.",
    ),
    (
        "yard-lamp",
        "Yard lamp, set of three",
        "18.20",
        "lamp",
        "Lattice masts with warm light for the night shift.",
    ),
    (
        "level-crossing",
        "Level crossing",
        "58.30",
        "crossing",
        "Barriers, bells, and room for one impatient lorry.",
    ),
    (
        "girder-bridge",
        "Girder bridge, 36 cm",
        "49.90",
        "bridge",
        "Riveted steel, laser-cut, carries whatever you dare to send.",
    ),
    (
        "tunnel-portal",
        "Tunnel portal, pair",
        "23.60",
        "tunnel",
        "Cut stone with soot above the arch. The dark behind it is free.",
    ),
    (
        "water-tower",
        "Water tower",
        "71.00",
        "watertower",
        "Brick below, riveted tank above, a ladder nobody wants to climb.",
    ),
    (
        "country-station",
        "Country station",
        "96.40",
        "station",
        "Timetable, clock and bench: everything for waiting in style.",
    ),
    (
        "beech-trees",
        "Beeches, set of five",
        "14.50",
        "tree",
        "Hand-flocked crowns, each a little different from its neighbour.",
    ),
)


def seed_products() -> int:
    """Add the products that are missing, each with its stock; return how many."""
    return sum(_seed(position) for position in range(len(ASSORTMENT)))


def _seed(position: int) -> bool:
    slug, name, price, picture, description = ASSORTMENT[position]
    product, made = Product.objects.get_or_create(
        slug=slug,
        defaults={
            "name": name,
            "price": Decimal(price),
            "picture": picture,
            "description": description,
            "position": position,
        },
    )
    # What was sold stays sold: seeding again refills nothing.
    StockRecord.objects.get_or_create(product=product, defaults={"quantity": IN_STOCK})
    return made
