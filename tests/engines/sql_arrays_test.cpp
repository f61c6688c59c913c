// Many rows in one statement, where the engine takes arrays; and works that have a transaction of
// their own.
#include "libs/sql/array.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

struct Arrays : OnBoth {};

constexpr Statement rows_of{
    "SELECT n, word, bytes FROM unnest(?1::bigint[], ?2::text[], ?3::bytea[]) "
    "WITH ORDINALITY AS q(n, word, bytes, place) ORDER BY place"};
// Only what a work owns may go in, so it makes the arrays itself.
constexpr auto echo = [](Tx& tx, const std::vector<std::int64_t>& numbers,
                         const std::vector<std::string>& words) -> Task<Result<Rows>> {
    IntegerArray n;
    TextArray w;
    BytesArray b;
    for (const std::int64_t number : numbers) n.add(number);
    for (const std::string& word : words) {
        w.add(word);
        b.add({reinterpret_cast<const unsigned char*>(word.data()), word.size()});
    }
    co_return TRY(co_await tx.run(rows_of, {n, w, b}));
};

Task<> carry(Database& database) {
    const std::vector<std::int64_t> numbers{0, -1, INT64_MAX, INT64_MIN, 7};
    const std::vector<std::string> words{"", "{\"a\\b\",NULL}", "좌석 '1'", "\n\t", "NULL"};
    const Rows rows = must(co_await database.transact(Context{}, echo, numbers, words));
    EXPECT_EQ(rows.size(), numbers.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(rows.integer(i, 0), numbers[i]);
        EXPECT_EQ(rows.text(i, 1), words[i]);
        EXPECT_EQ(rows.text(i, 2), words[i]);
    }
    const Rows none = must(co_await database.transact(Context{}, echo, std::vector<std::int64_t>(),
                                                      std::vector<std::string>()));
    EXPECT_TRUE(none.empty());
}

TEST_P(Arrays, carry_every_value_and_none) { run_on(*loop, carry(store->pool())); }

constexpr Statement my_transaction{"SELECT 1", "SELECT txid_current()::bigint"};
constexpr auto which = [](Tx& tx) -> Task<Result<std::int64_t>> {
    const Rows rows = TRY(co_await tx.run(my_transaction));
    co_return rows.integer(0, 0);
};

Task<> note(Database& database, bool whole, std::vector<std::int64_t>& into) {
    into.push_back(whole ? must(co_await database.transact_whole(Context{}, which))
                         : must(co_await database.transact(Context{}, which)));
}

Task<> share(Database& database) {
    std::vector<std::int64_t> shared, whole;
    Nursery nursery;
    for (int i = 0; i < 40; ++i) nursery.spawn(note(database, i % 4 == 0, i % 4 ? shared : whole));
    must(co_await nursery.drained(Context{}));
    for (const std::int64_t id : whole) {
        EXPECT_EQ(std::ranges::count(whole, id), 1);
        EXPECT_EQ(std::ranges::count(shared, id), 0);
    }
}

TEST_P(Arrays, a_whole_work_shares_its_transaction_with_none) {
    run_on(*loop, share(store->pool()));
}

INSTANTIATE_TEST_SUITE_P(Engines, Arrays,
                         testing::Values(TestStore::Kind::postgres, TestStore::Kind::pooled),
                         kind_name);

} // namespace
} // namespace urr::engines
