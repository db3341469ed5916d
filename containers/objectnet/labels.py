"""ObjectNet's 313 objects: the number of each is its place in the alphabet."""

from __future__ import annotations

import re

_TEXT = """
Air freshener; Alarm clock; Backpack; Baking sheet; Banana; Band Aid; Baseball bat; Baseball glove; Basket; Bath
towel; Bathrobe; Battery; Bed sheet; Beer bottle; Beer can; Belt; Bench; Bicycle; Bike pump; Bills (money); Binder
(closed); Biscuits; Blanket; Blender; Blouse; Board game; Book (closed); Bookend; Boots; Bottle cap; Bottle opener;
Bottle stopper; Box; Bracelet; Bread knife; Bread loaf; Briefcase; Brooch; Broom; Bucket; Butcher's knife; Butter;
Button; CD case; Calendar; Can opener; Candle; Canned food; Cellphone; Cellphone case; Cellphone charger; Cereal;
Chair; Cheese; Chess piece; Chocolate; Chopstick; Clothes hamper; Clothes hanger; Coaster; Coffee beans; Coffee
grinder; Coffee machine; Coffee table; Coffee/French press; Coin (money); Comb; Combination lock; Computer mouse;
Contact lens case; Cooking oil bottle; Cork; Cutting board; DVD player; Deodorant; Desk lamp; Detergent; Dish soap;
Dishrag or hand towel; Document folder (closed); Dog bed; Doormat; Drawer (open); Dress; Dress pants; Dress shirt;
Dress shoe (men); Dress shoe (women); Drill; Drinking Cup; Drinking straw; Drying rack for clothes; Drying rack for
plates; Dust pan; Earbuds; Earring; Egg; Egg carton; Envelope; Eraser (white board); Extension cable; Eyeglasses;
Fan; Figurine or statue; First aid kit; Flashlight; Floss container; Flour container; Fork; Frying pan; Glue
container; Hair brush; Hair dryer; Hairclip; Hairtie; Hammer; Hand mirror; Handbag; Hat; Headphones (over ear);
Helmet; Honey container; Ice; Ice cube tray; Iron (for clothes); Ironing board; Jam; Jar; Jeans; Kettle; Key chain;
Keyboard; Ladle; Lampshade; Laptop (open); Laptop charger; Leaf; Leggings; Lemon; Letter opener; Lettuce; Light
bulb; Lighter; Lipstick; Loofah; Magazine; Makeup; Makeup brush; Marker; Match; Measuring cup; Microwave; Milk;
Mixing / Salad Bowl; Monitor; Mouse pad; Mouthwash; Mug; Multitool; Nail (fastener); Nail clippers; Nail file; Nail
polish; Napkin; Necklace; Newspaper; Night light; Nightstand; Notebook; Notepad; Nut for a screw; Orange; Oven
mitts; Padlock; Paint can; Paintbrush; Paper; Paper bag; Paper plates; Paper towel; Paperclip; Peeler; Pen; Pencil;
Pepper shaker; Pet food container; Phone (landline); Photograph (printed); Pill bottle; Pill organizer; Pillow;
Pitcher; Placemat; Plastic bag; Plastic cup; Plastic wrap; Plate; Playing cards; Pliers; Plunger; Pop can; Portable
heater; Poster; Power bar; Power cable; Printer; Raincoat; Rake; Razor; Receipt; Remote control; Removable blade;
Ribbon; Ring; Rock; Rolling pin; Ruler; Running shoe; Safety pin; Salt shaker; Sandal; Scarf; Scissors; Screw; Scrub
brush; Sewing kit; Shampoo bottle; Shoelace; Shorts; Shovel; Skateboard; Skirt; Sleeping bag; Slipper; Soap bar;
Soap dispenser; Sock; Soup Bowl; Spatula; Speaker; Sponge; Spoon; Spray bottle; Squeegee; Squeeze bottle; Standing
lamp; Stapler; Step stool; Still Camera; Stopper (sink/tub); Strainer; Stuffed animal; Sugar container; Suit jacket;
Suitcase; Sunglasses; Sweater; Swimming trunks; T-shirt; TV; Table knife; Tablecloth; Tablet / iPad; Tanktop; Tape /
duct tape; Tape measure; Tarp; Teabag; Teapot; Tennis racket; Thermometer; Thermos; Throw pillow; Tie; Tissue;
Toaster; Toilet paper roll; Tomato; Tongs; Toothbrush; Toothpaste; Tote bag; Toy; Trash bag; Trash bin; Travel case;
Tray; Trophy; Tweezers; Umbrella; Usb cable; Usb flash drive; Vacuum cleaner; Vase; Video Camera; Walker; Walking
cane; Wallet; Watch; Water bottle; Water filter; Webcam; Weight (exercise); Weight scale; Wheel; Whisk; Whistle;
Wine bottle; Wine glass; Winter glove; Wok; Wrench; Ziploc bag
"""
LABELS = tuple(label.strip() for label in " ".join(_TEXT.split()).split(";"))
LAST = len(LABELS) - 1  # the highest number that the organisers' scorer takes
NONE = -1  # what a prediction says that names no object: the scorer takes it, and counts it as wrong

# Folders of the release are the label in lower case with `_` for all that is no letter and no digit, but for these.
_OTHERWISE = {
    "Bath towel": "full_sized_towel",
    "Butcher's knife": "butchers_knife",
    "Dishrag or hand towel": "hand_towel_or_rag",
    "Drying rack for plates": "drying_rack_for_dishes",
    "Nut for a screw": "nut_for_screw",
    "T-shirt": "t-shirt",
    "Tape / duct tape": "tape",
}


def _folder(label: str) -> str:
    return _OTHERWISE.get(label) or re.sub("[^a-z0-9]+", "_", label.lower()).strip("_")


FOLDERS = tuple(_folder(label) for label in LABELS)
OF_FOLDER = {folder: number for number, folder in enumerate(FOLDERS)}
