# SPDX-License-Identifier: LGPL-2.1-or-later
"""Registry hives from .reg text, for tests; by itself a program: hive.py OUT <TEXT.reg.

Written from the format's description (msuhanov/regf) and from nothing that h2k reads with, so that
each checks the other. Keys are named from the hive's root: [Select], not [HKEY_LOCAL_MACHINE\\...].
Besides .reg's own forms a value may be str(N):"text" of type N; in str(7) "|" ends a string.
"""
import re
import struct
import sys

PAGE = 4096
NONE = 0xFFFFFFFF
BIG = 16344  # longer data is cut into segments from version 1.4 on
TIME = 132000000000000000  # FILETIME, some day of 2019
# owner and group Administrators; SYSTEM and Administrators may do everything
ADMINS = bytes.fromhex("01020000000000052000000020020000")
SYSTEM = bytes.fromhex("010100000000000512000000")
ACES = b"".join(struct.pack("<BBHI", 0, 2, 8 + len(sid), 0xF003F) + sid for sid in (SYSTEM, ADMINS))
ACL = struct.pack("<BBHHH", 2, 0, 8 + len(ACES), 2, 0) + ACES
SD = struct.pack("<BBHIIII", 1, 0, 0x8004, 20, 36, 0, 52) + ADMINS + ADMINS + ACL


def utf16(text):
    return text.encode("utf-16-le")


class Key:
    def __init__(self, name):
        self.name, self.keys, self.values = name, {}, {}

    def at(self, path):
        """The key there, made when it is missing."""
        key = self
        for part in filter(None, path.split("\\")):
            key = key.keys.setdefault(part.upper(), Key(part))
        return key

    def set(self, name, kind, data):
        self.values[name.upper()] = (name, kind, data)


def unquote(text):
    return re.sub(r"\\(.)", r"\1", text)


def parse_data(text):
    """(type, bytes) of what stands behind the = sign."""
    if match := re.fullmatch(r'"(.*)"', text):
        return 1, utf16(unquote(match[1]) + "\0")
    if match := re.fullmatch(r"dword:([0-9a-fA-F]{1,8})", text):
        return 4, struct.pack("<I", int(match[1], 16))
    if match := re.fullmatch(r"hex(?:\(([0-9a-fA-F]+)\))?:([0-9a-fA-F,]*)", text):
        return int(match[1] or "3", 16), bytes.fromhex(match[2].replace(",", ""))
    if match := re.fullmatch(r'str\(([0-9a-fA-F]+)\):"(.*)"', text):
        kind, text = int(match[1], 16), unquote(match[2])
        return kind, utf16(text.replace("|", "\0") + ("\0\0" if kind == 7 else "\0"))
    raise ValueError("no data of a .reg file: " + text)


def parse_reg(text):
    root = Key("ROOT")
    key = None
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        line = line.strip()
        if not line or line.startswith(";") or line.startswith("Windows Registry"):
            continue
        if line.startswith("["):
            key = root.at(line[1:-1])
        elif match := re.match(r'(?:@|"((?:[^"\\]|\\.)*)")=(.*)', line):
            key.set(unquote(match[1] or ""), *parse_data(match[2]))
        else:
            raise ValueError("no line of a .reg file: " + line)
    return root


class Writer:
    def __init__(self, minor):
        self.minor, self.bins, self.free = minor, bytearray(), 0  # free: bytes left in the last bin

    def cell(self, data):
        """Its offset; @data begins after the size."""
        size = (len(data) + 4 + 7) // 8 * 8
        if size > self.free:
            self.end_bin()
            bin_size = (size + 32 + PAGE - 1) // PAGE * PAGE
            self.bins += struct.pack("<4sIIQQI", b"hbin", len(self.bins), bin_size, 0, TIME, 0)
            self.free = bin_size - 32
        offset = len(self.bins)
        self.bins += struct.pack("<i", -size) + data + bytes(size - 4 - len(data))
        self.free -= size
        return offset

    def end_bin(self):
        if self.free > 0:
            self.bins += struct.pack("<I", self.free) + bytes(self.free - 4)
        self.free = 0

    def data(self, data):
        if self.minor < 4 or len(data) <= BIG:
            return self.cell(data)
        parts = [self.cell(data[at:at + BIG]) for at in range(0, len(data), BIG)]
        table = self.cell(struct.pack(f"<{len(parts)}I", *parts))
        return self.cell(struct.pack("<2sHI", b"db", len(parts), table))

    @staticmethod
    def name(text):
        try:
            return text.encode("latin-1"), True
        except UnicodeEncodeError:
            return utf16(text), False

    def value(self, name, kind, data):
        coded, is_short = self.name(name)
        if len(data) <= 4:
            size, at = 0x80000000 | len(data), int.from_bytes(data.ljust(4, b"\0"), "little")
        else:
            size, at = len(data), self.data(data)
        return self.cell(struct.pack("<2sHIIIHH", b"vk", len(coded), size, at, kind,
                                     int(is_short and name != ""), 0) + coded)

    @staticmethod
    def hash(name):
        value = 0
        for char in name.upper():
            value = (value * 37 + ord(char)) & NONE
        return value

    def key(self, key, parent, security):
        """Cell of the key, with all below it."""
        coded, is_short = self.name(key.name)
        flags = (0x20 if is_short else 0) | (0x0C if parent == NONE else 0)
        values = [self.value(*key.values[name]) for name in key.values]
        value_list = self.cell(struct.pack(f"<{len(values)}I", *values)) if values else NONE
        below = [key.keys[name] for name in sorted(key.keys)]
        head = struct.pack(
            "<2sHQIIIIIIIIIIIIIIIHH", b"nk", flags, TIME, 0, parent, len(below), 0, 0, NONE,
            len(values), value_list, security, NONE,
            max((2 * len(sub.name) for sub in below), default=0), 0,
            max((2 * len(value[0]) for value in key.values.values()), default=0),
            max((len(value[2]) for value in key.values.values()), default=0), 0, len(coded), 0)
        offset = self.cell(head + coded)
        cells = [self.key(sub, offset, security) for sub in below]
        list_offset = self.subkeys(below, cells)
        struct.pack_into("<I", self.bins, offset + 4 + 28, list_offset)
        self.n_keys += 1
        return offset

    def subkeys(self, below, cells):
        if not below:
            return NONE
        leaves = []
        for at in range(0, len(below), 500):
            pairs = b"".join(struct.pack("<II", cell, self.hash(sub.name))
                             for cell, sub in zip(cells[at:at + 500], below[at:at + 500]))
            leaves.append(self.cell(struct.pack("<2sH", b"lh", len(pairs) // 8) + pairs))
        if len(leaves) == 1:
            return leaves[0]
        return self.cell(struct.pack("<2sH", b"ri", len(leaves)) +
                         struct.pack(f"<{len(leaves)}I", *leaves))

    def write(self, root, file_name):
        self.n_keys = 0
        security = self.cell(struct.pack("<2sHIIII", b"sk", 0, 0, 0, 0, len(SD)) + SD)
        struct.pack_into("<II", self.bins, security + 4 + 4, security, security)
        root_cell = self.key(root, NONE, security)
        struct.pack_into("<I", self.bins, security + 4 + 12, self.n_keys)
        self.end_bin()
        return base_block(self.minor, root_cell, len(self.bins), file_name) + bytes(self.bins)


def base_block(minor, root_cell, bins_size, file_name, seq1=1, seq2=1, kind=0):
    block = bytearray(PAGE)
    struct.pack_into("<4sIIQIIIIIII64s", block, 0, b"regf", seq1, seq2, TIME, 1, minor, kind, 1,
                     root_cell, bins_size, 1, utf16(file_name)[:62])
    return set_checksum(block)


def set_checksum(block):
    value = 0
    for word in struct.unpack_from("<127I", block):
        value ^= word
    struct.pack_into("<I", block, 508, {0: 1, NONE: NONE - 1}.get(value, value))
    return bytes(block)


def make_hive(text, file_name="", minor=5):
    return Writer(minor).write(parse_reg(text), file_name)


# ---- unfinished writes ----

def marvin32(data):
    def rotate(value, bits):
        return (value << bits | value >> 32 - bits) & NONE

    low, high = 0x7A4E55C5, 0x82EF4D88
    for (block,) in [*struct.iter_unpack("<I", data), (0x80,), (0,)]:
        low = (low + block) & NONE
        high ^= low
        low = (rotate(low, 20) + high) & NONE
        high = rotate(high, 9) ^ low
        low = (rotate(low, 27) + high) & NONE
        high = rotate(high, 19)
    return high << 32 | low


def make_dirty(old, new, is_new_format):
    """(hive, log): @old, with what makes it @new in the log only. Both have the same length."""
    assert len(old) == len(new)
    base = bytearray(old[:PAGE])
    struct.pack_into("<II", base, 4, 7, 6)
    bins = range(PAGE, len(old), 512)
    dirty = [at for at in bins if old[at:at + 512] != new[at:at + 512]]
    log_base = bytearray(old[:512])
    if is_new_format:
        struct.pack_into("<IIQIII", log_base, 4, 7, 7, TIME, 1, old[24], 6)
        body = b"".join(struct.pack("<II", at - PAGE, 512) for at in dirty)
        body += b"".join(new[at:at + 512] for at in dirty)
        body += bytes(-(40 + len(body)) % 512)
        head = struct.pack("<4sIIIII", b"HvLE", 40 + len(body), 0, 7, len(old) - PAGE, len(dirty))
        head += struct.pack("<Q", marvin32(body))
        log = head + struct.pack("<Q", marvin32(head)) + body
    else:
        struct.pack_into("<IIQIII", log_base, 4, 7, 7, TIME, 1, old[24], 1)
        bits = bytearray((len(bins) + 7) // 8)
        for at in dirty:
            number = (at - PAGE) // 512
            bits[number // 8] |= 1 << number % 8
        log = b"DIRT" + bytes(bits)
        log += bytes(-len(log) % 512) + b"".join(new[at:at + 512] for at in dirty)
    return set_checksum(base) + old[PAGE:], set_checksum(log_base) + log


if __name__ == "__main__":
    with open(sys.argv[1], "wb") as out:
        out.write(make_hive(sys.stdin.read()))
