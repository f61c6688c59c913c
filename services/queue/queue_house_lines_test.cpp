// The lines of a House in its database.
#include "services/queue/queue_house.hpp"

namespace urr::queue {

namespace {

struct InDatabase final : LinesOfHouse {
    SqlLines lines;
    Relay relay;
    explicit InDatabase(House& house)
        : lines(*house.database), relay(*house.database, *house.log, "test", milliseconds(20)) {}
    LineStore& store() override { return lines; }
    void start_jobs(House& house) override { house.nursery->spawn(relay.run()); }
};

} // namespace

std::unique_ptr<LinesOfHouse> open_lines(House& house) {
    house.slack = milliseconds(5); // a commit and its news take less
    return std::make_unique<InDatabase>(house);
}

void lose_lines(House& house) {
    for (const char* end : {"", "-wal", "-shm"})
        std::filesystem::remove(house.folder / (std::string("queue.db") + end));
}

void restart_lines(House&) {} // a database has no life of its own

} // namespace urr::queue
