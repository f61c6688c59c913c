#include "services/ticket/domain/image.hpp"

#include <gtest/gtest.h>

#include <string>

namespace urr::ticket {
namespace {

using namespace std::string_literals;

const std::string a_png = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde"s;
const std::string a_jpeg = "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
                           "\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11\0\xff\xd9"s;
const std::string a_gif = "GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"s;
const std::string a_webp =
    "RIFF\x1a\0\0\0WEBPVP8L\r\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\7\0"s;

TEST(Images, are_known_by_their_content) {
    EXPECT_EQ(image_type_of(a_png), png);
    EXPECT_EQ(image_type_of(a_jpeg), jpeg);
    EXPECT_EQ(image_type_of(a_gif), gif);
    EXPECT_EQ(image_type_of(a_webp), webp);
}

TEST(Images, of_every_length_are_looked_at_within_their_bounds) {
    for (const std::string& whole : {a_png, a_jpeg, a_gif, a_webp})
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const std::string part = whole.substr(0, length); // ASan watches its end
            (void)image_type_of(part);
            if (length < 13) EXPECT_FALSE(image_type_of(part));
        }
}

TEST(Images, are_no_texts_that_are_called_so) {
    std::string no_size = a_png, wrong_length = a_webp, no_frame = a_jpeg, no_colours = a_gif;
    no_size[19] = '\0';                  // as wide as nothing
    wrong_length[5] = '\x40';            // longer than the file
    no_frame.replace(20, 2, "\xff\xda"); // data before any frame
    no_colours[10] = '\x87';             // 256 colours, which are not there
    for (const std::string& text :
         {""s, "hello"s, "<svg xmlns='http://www.w3.org/2000/svg'/>"s, "<html>"s,
          "GIF89a is what I am called, and some words more"s, "\xff\xd8\xff and then words, words"s,
          "\x89PNG\r\n\x1a\n and then words that go on for long enough"s,
          "RIFF\x10\0\0\0WEBP and then words that go on for long"s,
          "RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x44\xac\0\0\x88\x58\1\0\2\0\x10\0data"s,
          no_size, wrong_length, no_frame, no_colours})
        EXPECT_FALSE(image_type_of(text)) << text;
}

} // namespace
} // namespace urr::ticket
