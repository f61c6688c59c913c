// Fuzzes the decoding of receipts: no text may be accepted but one that we wrote, and whatever is
// accepted reads as it was written. Input: a flag byte, then a text, or the fields of a receipt.
#include <cstdlib>

#include "services/waiting_room/domain/receipt.hpp"

using namespace urr;
using namespace urr::waiting_room;

namespace {

ReceiptKeys make_keys() {
    ReceiptKeys keys;
    keys.current.number = 2;
    keys.current.secret.fill(1);
    keys.previous = ReceiptKeys::Key{1, {}};
    return keys;
}

// Takes bytes off the input; zeros when it has ended.
struct Input {
    const unsigned char* data;
    std::size_t size;
    std::uint64_t number(int bytes) {
        std::uint64_t value = 0;
        for (int i = 0; i < bytes; ++i) {
            value = (value << 8) | (size ? *data : 0);
            if (size) ++data, --size;
        }
        return value;
    }
};

void check(bool good) {
    if (!good) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    static const ReceiptKeys keys = make_keys();
    const EventId event{{7}};
    if (size == 0) return 0;
    if (data[0] % 2 == 0) { // a text from outside: without the key nothing is accepted
        const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
        const auto receipt = read_receipt(keys, event, text);
        if (receipt) {
            const ReceiptText again = write_receipt(keys, event, *receipt);
            check(std::string_view(again.data(), again.size()) == text);
        }
        return 0;
    }
    Input input{data + 1, size - 1};
    Receipt receipt;
    receipt.position = input.number(6);
    receipt.epoch = input.number(8);
    receipt.phase = std::uint16_t(input.number(2));
    receipt.second = input.number(5);
    receipt.voids_before = input.number(6);
    ReceiptText text = write_receipt(keys, event, receipt);
    check(read_receipt(keys, event, {text.data(), text.size()}) == receipt);
    check(!read_receipt(keys, EventId{{8}}, {text.data(), text.size()}));
    char& changed = text[input.number(1) % text.size()];
    changed = changed == 'A' ? 'B' : 'A';
    check(!read_receipt(keys, event, {text.data(), text.size()}));
    return 0;
}
