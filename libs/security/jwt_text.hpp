// Reads the flat JSON objects inside our tokens: members that are strings, whole numbers or
// booleans and nothing else, each name at most once, no escapes but \" \\ \/. Stricter than JSON on
// purpose: we wrote what we accept.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace urr {

struct FlatMember {
    std::string_view name;
    std::string_view text; // of a string, without quotes; of a number or boolean, as written
    bool is_string = false;
};

class FlatObject {
public:
    static std::optional<FlatObject> parse(std::string_view json);
    // Empty when absent or of the other kind.
    std::optional<std::string_view> string(std::string_view name) const;
    std::optional<std::uint64_t> number(std::string_view name) const;
    std::optional<bool> boolean(std::string_view name) const;

private:
    const FlatMember* find(std::string_view name, bool is_string) const;
    std::vector<FlatMember> members_;
};

} // namespace urr
