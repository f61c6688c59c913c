// The embedded stores of an installation: a SQLite file per service in the data folder.
#pragma once
#include <memory>
#include <string>

#include "libs/sql/sqlite_database.hpp"

namespace urr::app {

struct Stores {
    std::unique_ptr<SqliteDatabase> ticket, payment, acquirer, queue, waiting_room, events;

    // UNAVAILABLE with the file's name and what to do.
    static Result<Stores> open(const std::string& folder, const Clock& clock);
};

} // namespace urr::app
