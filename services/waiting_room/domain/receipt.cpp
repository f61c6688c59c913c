#include "services/waiting_room/domain/receipt.hpp"

#include <bit>
#include <cassert>
#include <cstring>

namespace urr::waiting_room {

namespace {

constexpr std::size_t signed_bytes = receipt_bytes - sizeof(SipTag);
constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Numbers stand with their high byte first. Eight bytes are moved at once: what follows a number in
// a receipt is never shorter.
struct Writer {
    unsigned char* at;
    void number(std::uint64_t value, int bytes) {
        assert(bytes == 8 || value >> (8 * bytes) == 0);
        const std::uint64_t word = std::byteswap(value << (8 * (8 - bytes)));
        std::memcpy(at, &word, sizeof word);
        at += bytes;
    }
    void copy(const IdBytes& id) {
        std::memcpy(at, id.data(), id.size());
        at += id.size();
    }
};

struct Reader {
    const unsigned char* at;
    std::uint64_t number(int bytes) {
        std::uint64_t word;
        std::memcpy(&word, at, sizeof word);
        at += bytes;
        return std::byteswap(word) >> (8 * (8 - bytes));
    }
};

// Event and signed part in one run of bytes, as the code sees them.
SipTag code_of(const SipKey& secret, const EventId& event, const unsigned char* bytes) {
    std::array<unsigned char, 16 + signed_bytes> message;
    std::memcpy(message.data(), event.bytes.data(), 16);
    std::memcpy(message.data() + 16, bytes, signed_bytes);
    return SipHash::tag(secret, message);
}

// In constant time: nothing is decided before all bits were looked at.
bool same_tag(const SipTag& tag, const unsigned char* given) {
    std::uint64_t a[2], b[2];
    static_assert(sizeof a == sizeof tag);
    std::memcpy(a, tag.data(), sizeof a);
    std::memcpy(b, given, sizeof b);
    return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

const SipKey* find_key(const ReceiptKeys& keys, unsigned char number) {
    if (keys.current.number == number) return &keys.current.secret;
    if (keys.previous && keys.previous->number == number) return &keys.previous->secret;
    return nullptr;
}

using Bytes = std::array<unsigned char, receipt_bytes>;
// Eight bytes are taken from where the last six begin.
using PaddedBytes = std::array<unsigned char, receipt_bytes + 2>;

// 60 bytes are ten groups of six, eight characters each: no bits are left over, so one text stands
// for one receipt as long as every character is of the alphabet. Six bits are first spread to a
// byte each, within one word; then all bytes become characters in a loop without a branch, which
// the compiler does sixteen at a time. The general encoder would be the dearest part of an
// assignment.
std::uint64_t spread(std::uint64_t bits48) {
    bits48 = (bits48 & 0x000000FFFFFF) | ((bits48 & 0xFFFFFF000000) << 8);
    bits48 = (bits48 & 0x00000FFF00000FFF) | ((bits48 & 0x00FFF00000FFF000) << 4);
    return (bits48 & 0x003F003F003F003F) | ((bits48 & 0x0FC00FC00FC00FC0) << 2);
}

// A-Z, a-z, 0-9, '-', '_' for 0 to 63: where a range begins, the distance to its character changes.
constexpr unsigned char character_of(unsigned char six) {
    return (unsigned char)(six + 'A' + (six > 25 ? 'a' - 'A' - 26 : 0) -
                           (six > 51 ? 'a' - 26 - ('0' - 52) : 0) -
                           (six > 61 ? '0' - 52 - ('-' - 62) : 0) +
                           (six > 62 ? '_' - 63 - ('-' - 62) : 0));
}
static_assert([] {
    for (unsigned char i = 0; i < 64; ++i)
        if (character_of(i) != (unsigned char)alphabet[i]) return false;
    return true;
}());

ReceiptText encode(const PaddedBytes& bytes) {
    std::array<unsigned char, receipt_text_size> sixes;
    for (std::size_t group = 0; group < receipt_bytes / 6; ++group) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data() + group * 6, sizeof word);
        word = std::byteswap(spread(std::byteswap(word) >> 16));
        std::memcpy(sixes.data() + group * 8, &word, sizeof word);
    }
    ReceiptText text;
    for (std::size_t i = 0; i < receipt_text_size; ++i) text[i] = char(character_of(sixes[i]));
    return text;
}

// What a character says at each place of its group; a foreign one sets a bit beyond the group's.
constexpr std::uint32_t foreign_bit = 1u << 31;
constexpr auto values = [] {
    std::array<std::array<std::uint32_t, 256>, 4> table;
    for (std::size_t place = 0; place < 4; ++place) {
        table[place].fill(foreign_bit);
        for (std::uint32_t i = 0; i < 64; ++i)
            table[place][(unsigned char)alphabet[i]] = i << (18 - 6 * place);
    }
    return table;
}();

bool decode(std::string_view text, Bytes& bytes) {
    if (text.size() != receipt_text_size) return false;
    std::uint32_t seen = 0;
    for (std::size_t group = 0; group < receipt_bytes / 3; ++group) {
        const char* from = text.data() + group * 4;
        std::uint32_t word = 0;
        for (std::size_t i = 0; i < 4; ++i) word |= values[i][(unsigned char)from[i]];
        seen |= word;
        bytes[group * 3] = (unsigned char)(word >> 16);
        bytes[group * 3 + 1] = (unsigned char)(word >> 8);
        bytes[group * 3 + 2] = (unsigned char)word;
    }
    return (seen & foreign_bit) == 0;
}

} // namespace

ReceiptText write_receipt(const ReceiptKeys& keys, const EventId& event, const Receipt& receipt) {
    PaddedBytes bytes;
    bytes[receipt_bytes] = bytes[receipt_bytes + 1] = 0;
    Writer writer{bytes.data()};
    writer.number(keys.current.number, 1);
    writer.number(receipt.phase, 2);
    writer.number(receipt.position, 6);
    writer.number(receipt.voids_before, 6);
    writer.number(receipt.epoch, 8);
    writer.number(receipt.second, 5);
    writer.copy(receipt.id);
    const SipTag code = code_of(keys.current.secret, event, bytes.data());
    std::memcpy(writer.at, code.data(), code.size());
    return encode(bytes);
}

std::optional<Receipt> read_receipt(const ReceiptKeys& keys, const EventId& event,
                                    std::string_view text) {
    Bytes bytes;
    if (!decode(text, bytes)) return std::nullopt;
    const SipKey* secret = find_key(keys, bytes[0]);
    if (!secret) return std::nullopt;
    const SipTag code = code_of(*secret, event, bytes.data());
    if (!same_tag(code, bytes.data() + signed_bytes)) return std::nullopt;
    Reader reader{bytes.data() + 1};
    Receipt receipt;
    receipt.phase = std::uint16_t(reader.number(2));
    receipt.position = reader.number(6);
    receipt.voids_before = reader.number(6);
    receipt.epoch = reader.number(8);
    receipt.second = reader.number(5);
    std::memcpy(receipt.id.data(), reader.at, receipt.id.size());
    return receipt;
}

} // namespace urr::waiting_room
