#include "apps/urr/stores.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "libs/async/run_to_end.hpp"
#include "libs/core/must.hpp"

namespace urr::app {
namespace {

namespace fs = std::filesystem;

// Refuses behind what it called its last statement.
constexpr auto late_work = [](Tx& tx) -> Task<Result<bool>> {
    static constexpr Statement last{"SELECT 1"};
    TRY(co_await tx.run(last).and_commit());
    co_return fail(Code::CONFLICT);
};
Task<Result<bool>> refuse_late(Database& database) {
    co_return co_await database.transact(Context{}, late_work);
}

class Heard final : public Log {
public:
    std::string all;
    void write(Level level, std::string_view what, std::initializer_list<LogField> fields,
               const Trace*) override {
        all += std::string(level_name(level)) + " " + std::string(what);
        for (const LogField& field : fields)
            all += " " + std::string(field.name) + "=" + field.text;
    }
};

TEST(Stores, tell_the_log_which_of_them_has_a_work_that_refuses_too_late) {
    const fs::path folder =
        fs::temp_directory_path() / ("urr_stores_" + std::to_string(::getpid()));
    const SystemClock clock;
    Heard log;
    {
        const auto loop = make_asio_loop(); // it takes the stores' last answers
        Stores stores = must(Stores::open(folder.string(), clock, {}, Schema::migrated, &log));
        EXPECT_EQ(run_to_end(*loop, refuse_late(*stores.auth)).error().code(), Code::INTERNAL);
    }
    fs::remove_all(folder);
    EXPECT_EQ(log.all, "error work_refused_late store=\"auth\" error=\"a work refused behind its "
                       "last statements and is taken back: SELECT 1\"");
}

} // namespace
} // namespace urr::app
