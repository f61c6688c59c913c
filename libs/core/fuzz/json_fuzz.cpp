// Any bytes as JSON: no crash; what is read and written again is read as the same.
#include <cstdlib>

#include "libs/core/json.hpp"

namespace {

struct Sample {
    std::optional<std::string> text;
    std::optional<std::vector<std::int64_t>> list;
    std::optional<bool> yes;
    std::optional<urr::Instant> at;
    std::optional<urr::EventId> id;
};
template <class Archive>
void describe(Archive& a, Sample& v) {
    a.field("text", v.text);
    a.field("list", v.list, urr::Limits{.max = 100});
    a.field("yes", v.yes);
    a.field("at", v.at);
    a.field("id", v.id);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const auto read = urr::read_json<Sample>({reinterpret_cast<const char*>(data), size});
    if (!read) return 0;
    const std::string written = urr::to_json(*read);
    const auto again = urr::read_json<Sample>(written);
    if (!again || urr::to_json(*again) != written) std::abort();
    return 0;
}
