#include <sqlite3.h>

#include "apps/urr/rehearsal/audit_house.hpp"

namespace urr::app {

void Audits::sql(const std::string& store, const std::string& text) {
    sqlite3* handle = nullptr;
    sqlite3_open((folder / (store + ".db")).c_str(), &handle);
    char* message = nullptr;
    sqlite3_exec(handle, text.c_str(), nullptr, nullptr, &message);
    EXPECT_EQ(message, nullptr) << message << ": " << text;
    sqlite3_close(handle);
}

} // namespace urr::app
