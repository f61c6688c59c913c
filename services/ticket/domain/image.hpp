// What an image is, by its content: whoever calls a text picture.jpg is not believed. Enough of the
// header is looked at to know the format and that there is a picture of some size in it; whether
// all of it can be decoded, browsers say. Pure.
#pragma once
#include <array>
#include <optional>
#include <string_view>

namespace urr::ticket {

struct ImageType {
    std::string_view ending; // "jpg"
    std::string_view type;   // "image/jpeg"
    bool operator==(const ImageType&) const = default;
};
inline constexpr ImageType jpeg{"jpg", "image/jpeg"}, png{"png", "image/png"},
    webp{"webp", "image/webp"}, gif{"gif", "image/gif"};
inline constexpr std::array image_types{jpeg, png, webp, gif};

// Empty: none that we take.
std::optional<ImageType> image_type_of(std::string_view bytes);

} // namespace urr::ticket
