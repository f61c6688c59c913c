#include "services/waiting_room/http/static_page.hpp"

#include "libs/security/mac.hpp"

namespace urr::waiting_room {

namespace {

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions" // #embed, which clang 19 has in C++ as well
constexpr unsigned char index_html[] = {
#embed "../../../edge/waiting/index.html"
};
constexpr unsigned char waiting_js[] = {
#embed "../../../edge/waiting/waiting.js"
};
constexpr unsigned char waiting_css[] = {
#embed "../../../edge/waiting/waiting.css"
};
#pragma clang diagnostic pop

struct File {
    std::string_view name;
    std::string_view type;
    std::string_view content;
    std::string etag;
};

template <std::size_t size>
File file(std::string_view name, std::string_view type, const unsigned char (&bytes)[size]) {
    const std::string_view content(reinterpret_cast<const char*>(bytes), size);
    return {name, type, content, "\"" + hex(sha256(content)).substr(0, 16) + "\""};
}

const std::array<File, 3>& files() {
    static const std::array<File, 3> all{
        file("index.html", type_html, index_html),
        file("waiting.js", "text/javascript; charset=utf-8", waiting_js),
        file("waiting.css", "text/css; charset=utf-8", waiting_css)};
    return all;
}

} // namespace

Result<Response> static_page(std::string_view name, std::string_view if_none_match) {
    for (const File& each : files()) {
        if (each.name != name) continue;
        Response response;
        response.add("ETag", each.etag).add("Cache-Control", "public, max-age=300");
        response.add("X-Content-Type-Options", "nosniff");
        if (if_none_match.find(each.etag) != std::string_view::npos) {
            response.status = 304;
            return response;
        }
        response.add("Content-Security-Policy",
                     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
        response.content_type = each.type;
        response.body = each.content;
        return response;
    }
    return fail(Code::NOT_FOUND);
}

} // namespace urr::waiting_room
