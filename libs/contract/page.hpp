// Lists by cursor: `?cursor=&limit=` (1 to 100, default 20) → {"items": [...], "nextCursor": ...}.
// Newest first; the cursor is the id of the last item given, so a list that grows at its head
// neither repeats nor skips anything.
//
//     const Page page = TRY_PLAIN(page_of(request.query));
//     auto rows = ... WHERE id < ?before ORDER BY id DESC LIMIT ?limit_and_one
//     const auto next = cut_page(rows, page);        // drops the row too many; the cursor, if any
//     return json_response(200, page_json(items, next));
#pragma once
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "libs/core/id.hpp"
#include "libs/http/path.hpp"

namespace urr {

struct Page {
    IdBytes before{}; // ids below this one
    std::size_t limit = 20;
    std::int64_t limit_and_one() const { return std::int64_t(limit) + 1; }
};

inline constexpr std::size_t page_limit_max = 100;

// BAD_REQUEST when it is out of bounds.
inline Result<std::size_t> page_limit(std::string_view query) {
    const auto text = TRY_PLAIN(query_value(query, "limit"));
    if (!text) return Page{}.limit;
    std::size_t limit = 0;
    const char* end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, limit);
    if (read.ec != std::errc() || read.ptr != end || limit < 1 || limit > page_limit_max)
        return fail(Code::BAD_REQUEST, "limit must be from 1 to 100");
    return limit;
}

// BAD_REQUEST also when the cursor is not one of ours.
inline Result<Page> page_of(std::string_view query) {
    Page page;
    page.limit = TRY_PLAIN(page_limit(query));
    page.before.fill(0xff);
    if (const auto cursor = TRY_PLAIN(query_value(query, "cursor"))) {
        const auto id = parse_id(*cursor);
        if (!id) return fail(Code::BAD_REQUEST, "cursor is not one that a list gave");
        page.before = *id;
    }
    return page;
}

// Of rows that were asked for with one too many: the cursor where more follow.
template <class Row>
std::optional<std::string> cut_page(std::vector<Row>& rows, const Page& page) {
    if (rows.size() <= page.limit) return std::nullopt;
    rows.resize(page.limit);
    return rows.back().id.text();
}

// `items`: JSON values with commas between. `next`: a cursor, which needs no escapes.
inline std::string page_json(std::string_view items, const std::optional<std::string>& next) {
    std::string out = "{\"items\":[";
    out.append(items).append("],\"nextCursor\":");
    if (next) return out.append("\"").append(*next).append("\"}");
    return out.append("null}");
}

} // namespace urr
