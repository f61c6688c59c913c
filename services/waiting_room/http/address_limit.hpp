// A limit per address: token buckets in a table of fixed size, one table per loop, so nothing is
// shared and nothing grows. Addresses that meet in a full set of four push out the one not seen for
// the longest; a flood of addresses can make the limit laxer, never the table larger.
//
// IPv6 counts by its /64, since whoever has one address there has all of them.
#pragma once
#include <vector>

#include "libs/core/instant.hpp"
#include "libs/http/message.hpp"

namespace urr::waiting_room {

struct AddressLimitSettings {
    std::uint32_t burst = 1'000;     // at once; many share one address behind a carrier
    std::uint32_t per_second = 50;   // after that
    std::size_t table_size = 16'384; // a power of two
};

class AddressLimit {
public:
    // `seed` makes it unforeseeable which addresses meet.
    AddressLimit(const AddressLimitSettings& settings, std::uint64_t seed)
        : settings_(settings), seed_(seed | 1), buckets_(settings.table_size) {}

    // Takes one permit. `now` is of the loop's clock.
    bool allow(const Address& address, Instant now);
    // The permit just taken was not used.
    void give_back(const Address& address);

private:
    static constexpr std::size_t ways = 4;
    struct Bucket {
        std::uint64_t key = 0;     // 0: never used
        std::int64_t level_us = 0; // how far ahead of now this address has spent, as time
    };
    std::uint64_t key_of(const Address& address) const;
    Bucket* set_of(std::uint64_t key) {
        return &buckets_[(key >> 1) % (buckets_.size() / ways) * ways];
    }
    std::int64_t cost_us() const { return 1'000'000 / std::int64_t(settings_.per_second); }

    AddressLimitSettings settings_;
    std::uint64_t seed_;
    std::vector<Bucket> buckets_;
};

} // namespace urr::waiting_room
