#include "services/waiting_room/domain/receipt.hpp"

#include <cassert>

#include "libs/security/mac.hpp"

namespace urr::waiting_room {

namespace {

constexpr std::size_t signed_bytes = receipt_bytes - sizeof(SipTag);
constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct Writer {
    unsigned char* at;
    void number(std::uint64_t value, int bytes) {
        assert(bytes == 8 || value >> (8 * bytes) == 0);
        for (int i = bytes - 1; i >= 0; --i) *at++ = (unsigned char)(value >> (8 * i));
    }
    void copy(const IdBytes& id) {
        std::memcpy(at, id.data(), id.size());
        at += id.size();
    }
};

struct Reader {
    const unsigned char* at;
    std::uint64_t number(int bytes) {
        std::uint64_t value = 0;
        for (int i = 0; i < bytes; ++i) value = (value << 8) | *at++;
        return value;
    }
};

// Event and signed part in one run of bytes, as the code sees them.
SipTag code_of(const SipKey& secret, const EventId& event, const unsigned char* bytes) {
    std::array<unsigned char, 16 + signed_bytes> message;
    std::memcpy(message.data(), event.bytes.data(), 16);
    std::memcpy(message.data() + 16, bytes, signed_bytes);
    return SipHash::tag(secret, message);
}

const SipKey* find_key(const ReceiptKeys& keys, unsigned char number) {
    if (keys.current.number == number) return &keys.current.secret;
    if (keys.previous && keys.previous->number == number) return &keys.previous->secret;
    return nullptr;
}

using Bytes = std::array<unsigned char, receipt_bytes>;

// 60 bytes are 20 groups of three, four characters each: no bits are left over, so one text stands
// for one receipt as long as every character is of the alphabet. By groups, since the general
// decoder would be the dearest part of a check.
ReceiptText encode(const Bytes& bytes) {
    ReceiptText text;
    for (std::size_t group = 0; group < receipt_bytes / 3; ++group) {
        const unsigned char* from = bytes.data() + group * 3;
        const std::uint32_t word =
            (std::uint32_t(from[0]) << 16) | (std::uint32_t(from[1]) << 8) | from[2];
        for (std::size_t i = 0; i < 4; ++i)
            text[group * 4 + i] = alphabet[(word >> (18 - 6 * i)) & 63];
    }
    return text;
}

constexpr std::array<std::int8_t, 256> values = [] {
    std::array<std::int8_t, 256> table;
    table.fill(-1);
    for (int i = 0; i < 64; ++i) table[std::size_t((unsigned char)alphabet[i])] = std::int8_t(i);
    return table;
}();

bool decode(std::string_view text, Bytes& bytes) {
    if (text.size() != receipt_text_size) return false;
    int foreign = 0; // negative as soon as one value is
    for (std::size_t group = 0; group < receipt_bytes / 3; ++group) {
        std::uint32_t word = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const int value = values[(unsigned char)text[group * 4 + i]];
            foreign |= value;
            word = (word << 6) | (std::uint32_t(value) & 63);
        }
        bytes[group * 3] = (unsigned char)(word >> 16);
        bytes[group * 3 + 1] = (unsigned char)(word >> 8);
        bytes[group * 3 + 2] = (unsigned char)word;
    }
    return foreign >= 0;
}

} // namespace

ReceiptText write_receipt(const ReceiptKeys& keys, const EventId& event, const Receipt& receipt) {
    Bytes bytes;
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
    if (!same_code(code, {bytes.data() + signed_bytes, sizeof code})) return std::nullopt;
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
