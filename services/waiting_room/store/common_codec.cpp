#include "services/waiting_room/store/common_codec.hpp"

#include <charconv>

namespace urr::waiting_room {

std::string leases_text(const std::vector<OutLease>& leases) {
    std::string out;
    for (const OutLease& lease : leases) {
        out += std::to_string(lease.first) + ":" + std::to_string(lease.count) + ":" +
               std::to_string(lease.holder);
        if (lease.used) out += ":" + std::to_string(*lease.used);
        out += ";";
    }
    return out;
}

std::optional<std::vector<OutLease>> parse_leases(std::string_view text) {
    std::vector<OutLease> out;
    while (!text.empty()) {
        const std::size_t end = text.find(';');
        if (end == std::string_view::npos) return std::nullopt;
        std::string_view rest = text.substr(0, end);
        text.remove_prefix(end + 1);
        std::uint64_t numbers[4];
        std::size_t count = 0;
        while (count < 4) {
            const char* last = rest.data() + rest.size();
            const auto read = std::from_chars(rest.data(), last, numbers[count]);
            if (read.ec != std::errc()) return std::nullopt;
            ++count;
            rest = {read.ptr, std::size_t(last - read.ptr)};
            if (rest.empty()) break;
            if (rest.front() != ':') return std::nullopt;
            rest.remove_prefix(1);
        }
        if (count < 3 || !rest.empty()) return std::nullopt;
        OutLease lease{numbers[0], numbers[1], numbers[2], std::nullopt};
        if (count == 4) lease.used = numbers[3];
        out.push_back(lease);
    }
    return out;
}

} // namespace urr::waiting_room
