// Dispenser: gives out the positions of the lease that is open, one atomic addition each, on every
// loop at once. The keeper opens a lease when it is durable and closes it to learn how many of its
// positions were used; between closing and opening `take` gives nothing.
//
// One word holds the lease's generation and how many of its positions were taken; whoever adds to
// the word learns both at once, so that no position goes out after its lease was closed.
#pragma once
#include <optional>

#include "libs/core/instant.hpp"
#include "services/waiting_room/domain/receipt.hpp"
#include "services/waiting_room/published.hpp"

namespace urr::waiting_room {

class Dispenser {
public:
    struct Terms {
        std::uint64_t first = 0;
        std::uint64_t count = 0;
        std::uint64_t epoch = 0;
        std::uint64_t voids_before = 0;
        std::uint64_t second = 0; // store time
        std::uint64_t phase = 0;
        std::uint64_t nonce = 0; // random: ids of receipts are the nonce and the position
        std::uint64_t generation = 0;
        Instant until; // of the loop's clock
    };

    // Terms are kept for this many leases, so that who was given a position of one that was opened
    // meanwhile still finds them.
    static constexpr std::size_t slot_count = 8;

    // A place, or nothing when the lease is closed, over or used up. Any thread.
    std::optional<Receipt> take(Instant now) {
        std::uint64_t word = word_.load(std::memory_order_acquire);
        Terms terms = slot(word).read();
        if (!usable(word, terms) || now >= terms.until) return std::nullopt;
        word = word_.fetch_add(1, std::memory_order_acq_rel);
        if (generation(word) != terms.generation) terms = slot(word).read();
        if (!usable(word, terms)) return std::nullopt; // at worst a position that nobody has
        return receipt(terms, taken(word));
    }
    // Positions given out so far. Any thread.
    std::uint64_t given() const {
        const std::uint64_t word = word_.load(std::memory_order_acquire);
        const Terms terms = slot(word).read();
        if (terms.generation != generation(word)) return 0;
        return taken(word) < terms.count ? taken(word) : terms.count;
    }

    // The keeper alone. Nothing is given until the next `open`; answers how many were.
    std::uint64_t close(std::uint64_t count) {
        const std::uint64_t word = word_.fetch_or(closed_bit, std::memory_order_acq_rel);
        return taken(word) < count ? taken(word) : count;
    }
    void open(Terms terms) {
        terms.generation = ++generation_;
        slots_[generation_ % slot_count].publish(terms);
        word_.store(generation_ << 32, std::memory_order_release);
    }

private:
    static constexpr std::uint64_t closed_bit = 1ull << 31;

    static std::uint64_t generation(std::uint64_t word) { return word >> 32; }
    static std::uint64_t taken(std::uint64_t word) { return word & (closed_bit - 1); }
    static bool usable(std::uint64_t word, const Terms& terms) {
        return !(word & closed_bit) && generation(word) == terms.generation &&
               taken(word) < terms.count;
    }
    const Published<Terms>& slot(std::uint64_t word) const {
        return slots_[generation(word) % slot_count];
    }
    static Receipt receipt(const Terms& terms, std::uint64_t index) {
        Receipt receipt{terms.first + index, terms.epoch,        std::uint16_t(terms.phase),
                        terms.second,        terms.voids_before, {}};
        std::memcpy(receipt.id.data(), &terms.nonce, 8);
        std::memcpy(receipt.id.data() + 8, &receipt.position, 8);
        return receipt;
    }

    alignas(64) std::atomic<std::uint64_t> word_{closed_bit};
    alignas(64) std::array<Published<Terms>, slot_count> slots_;
    std::uint64_t generation_ = 0; // the keeper's; 2^32 leases last 136 years
};

} // namespace urr::waiting_room
