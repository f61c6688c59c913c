#include "services/worker/domain/batch.hpp"

namespace urr::worker {

namespace {

constexpr std::int64_t version_max = 1; // of headers that this program understands

std::unexpected<Error> unreadable(std::string what) {
    return fail(Code::VALIDATION_FAILED, std::move(what));
}

// Up to the next line's end, and past it.
std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

} // namespace

Result<Batch> read_batch(std::string_view message) {
    auto header = read_json<EvidenceHeader>(take_line(message));
    if (!header) return unreadable("the header cannot be read");
    if (header->version > version_max)
        return unreadable("its version is " + std::to_string(header->version));
    Batch batch{header->event, std::move(header->source), header->generation, header->first, {}};
    while (!message.empty()) {
        const std::string_view line = take_line(message);
        const auto record = read_json<EvidenceRecord>(line);
        if (!record)
            return unreadable("record " + std::to_string(batch.records.size() + 1) +
                              " cannot be read");
        batch.records.push_back({record->id, std::string(line)});
    }
    if (std::ssize(batch.records) != header->records)
        return unreadable("it says " + std::to_string(header->records) + " records and has " +
                          std::to_string(batch.records.size()));
    return batch;
}

} // namespace urr::worker
