// The disk under PostgreSQL is full: its tables' part, and its log's. Needs root, for a small file
// system of its own.
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t bytes_each = 20'000;

constexpr Statement put_cell{"INSERT INTO cells (id, n, b) VALUES (?1, ?2, ?3)"};
constexpr Statement put_number{"INSERT INTO numbers (name, n) VALUES (?1, ?2)"};
constexpr auto put_work = [](Tx& tx, AccountId id, std::int64_t n,
                             const std::string& bytes) -> Task<Result<bool>> {
    const std::span<const unsigned char> view(reinterpret_cast<const unsigned char*>(bytes.data()),
                                              bytes.size());
    TRY(co_await tx.run(put_cell, {id, n, view}));
    TRY(co_await tx.run(put_number, {id.text(), n}));
    co_return true;
};
constexpr Statement count{"SELECT (SELECT count(*) FROM cells), (SELECT count(*) FROM numbers), "
                          "(SELECT count(*) FROM cells JOIN numbers ON cells.n = numbers.n)"};
constexpr auto count_work = [](Tx& tx) -> Task<Result<std::vector<std::int64_t>>> {
    const Rows rows = TRY(co_await tx.run(count));
    co_return std::vector{rows.integer(0, 0), rows.integer(0, 1), rows.integer(0, 2)};
};

// In a mount namespace of this process, so that it is gone with it.
struct SmallDisk {
    const fs::path folder = fs::temp_directory_path() / ("urr_disk_" + std::to_string(::getpid()));
    bool there = false;

    SmallDisk() {
        fs::create_directories(folder);
        there = ::unshare(CLONE_NEWNS) == 0 &&
                ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                ::mount("urr-test", folder.c_str(), "tmpfs", 0, "size=220m,mode=0755") == 0;
    }
    ~SmallDisk() {
        if (there) ::umount2(folder.c_str(), MNT_DETACH);
        fs::remove_all(folder);
    }
    // All but so many bytes.
    void fill(std::size_t left) const {
        struct statvfs now{};
        ::statvfs(folder.c_str(), &now);
        std::ofstream filler(folder / "filler", std::ios::binary);
        const std::string block(now.f_bsize, 'x');
        for (std::size_t free = now.f_bavail * now.f_bsize; filler && free > left;
             free -= block.size())
            filler.write(block.data(), std::streamsize(block.size())).flush();
    }
    void free() const { fs::remove(folder / "filler"); }
};

struct FullDisk : testing::Test {
    SmallDisk disk;
    std::unique_ptr<OwnServer> server;
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(20));
    std::unique_ptr<TestStore> store;
    SystemRandom random;
    std::int64_t begun = 0, done = 0, unknown = 0, refused = 0;

    void SetUp() override {
        if (!disk.there) GTEST_SKIP() << "not tested: a full disk (needs root and mount)";
        server = std::make_unique<OwnServer>("0", "", disk.folder);
        for (const char* setting : {"wal_keep_size = 0", "min_wal_size = '32MB'",
                                    "max_wal_size = '64MB'", "autovacuum = off"})
            (*server)->run(std::string("ALTER SYSTEM SET ") + setting);
        (*server)->run("SELECT pg_reload_conf()");
        store =
            std::make_unique<TestStore>(TestStore::Kind::postgres, *loop, test_tables(), &**server);
    }
    ~FullDisk() override { store.reset(); }

    // One that is refused leaves nothing, and says so.
    Task<Code> put() {
        std::string bytes(bytes_each, '\0');
        random.fill({reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()});
        const AccountId id = AccountId::make({++begun}, random);
        const auto end = co_await store->pool().transact(Context{}, put_work, id, begun, bytes);
        const Code code = end ? Code::INTERNAL : end.error().code();
        ++(end ? done : code == Code::OUTCOME_UNKNOWN ? unknown : refused);
        if (!end && code != Code::OUTCOME_UNKNOWN) EXPECT_EQ(code, Code::UNAVAILABLE);
        co_return code;
    }
    Task<> check() {
        const auto counts = must(co_await store->pool().read(Context{}, count_work));
        EXPECT_EQ(counts[0], counts[1]);
        EXPECT_EQ(counts[0], counts[2]);
        EXPECT_GE(counts[0], done);
        EXPECT_LE(counts[0], done + unknown);
    }
    Task<> until_it_takes_works() {
        const std::int64_t before = done;
        for (int tries = 0; done == before && tries < 1'200; ++tries) { // a minute
            co_await put();
            if (done == before) (void)co_await sleep(Context{}, milliseconds(50));
        }
        EXPECT_GT(done, before) << "the store did not come back";
    }
};

Task<> tables_full(FullDisk& t) {
    co_await t.put();
    (*t.server)->run("CHECKPOINT; SELECT pg_switch_wal()"); // the log has a whole file before it
    t.disk.fill(2'000'000);
    for (int i = 0; i < 1'000 && t.refused < 20; ++i) co_await t.put();
    EXPECT_GE(t.refused, 20);
    EXPECT_GT(t.done, 10);
    EXPECT_EQ(t.unknown, 0);
    EXPECT_TRUE(t.store->pool().healthy());
    co_await t.check();
    t.disk.free();
    co_await t.until_it_takes_works();
    co_await t.check();
}
TEST_F(FullDisk, refuses_what_does_not_fit_and_goes_on_when_there_is_space) {
    run_on(*loop, tables_full(*this));
}

// Where the log cannot go on PostgreSQL ends itself; whoever runs it starts it again.
Task<> log_full(FullDisk& t) {
    const PostgresServer& server = **t.server;
    for (int i = 0; i < 20; ++i) co_await t.put();
    server.run("CHECKPOINT");
    t.disk.fill(0);
    const std::string url = server.url("postgres", "postgres");
    for (int i = 0; i < 100; ++i) {
        co_await t.put();
        if (!run_postgres_script(url, "SELECT pg_switch_wal()")) break;
    }
    while (t.refused + t.unknown < 20) co_await t.put();
    EXPECT_GE(t.store->pool().counters().reconnects, 1u) << "the server went on";
    t.disk.free();
    for (int i = 0; i < 120 && !run_postgres_script(url, "SELECT 1") && !server.starts(); ++i)
        (void)co_await sleep(Context{}, milliseconds(500));
    co_await t.until_it_takes_works();
    co_await t.check();
}
TEST_F(FullDisk, under_the_log_loses_nothing_that_was_acknowledged) {
    run_on(*loop, log_full(*this));
}

} // namespace
} // namespace urr::engines
