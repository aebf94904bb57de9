"""The names of what is measured: tables, plots and --only have them."""

PARTS = "parts"
RELAY = "relay alone, FULL"
FULL = "two clients, FULL"
NORMAL = "two clients, NORMAL"
LINK = "direct link alone"
CURVE = "CURVE alone"
DIRECT = "two clients, direct"
LAN = "local network"
MOVES = "moves"
QUIET = "quiet clients"
ONION = "onion"
MOSQUITTO = "Mosquitto, QoS 1"
PROSODY = "Prosody"
ARCHIVE = "Prosody with archive"
TOX = "toxcore"

OURS = (PARTS, RELAY, FULL, NORMAL, LINK, LAN, DIRECT, MOVES, ONION, QUIET)
