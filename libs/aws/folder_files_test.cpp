// The folder when several processes share it and one of them died: what is beside the files.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "libs/async/run_to_end.hpp"
#include "libs/aws/files.hpp"
#include "libs/core/must.hpp"
#include "libs/security/mac.hpp"

namespace urr {
namespace {

namespace fs = std::filesystem;

struct FolderFilesTest : testing::Test {
    fs::path folder =
        fs::temp_directory_path() / ("urr_folder_" + std::to_string(::getpid()) +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    std::unique_ptr<Offload> offload = make_thread_offload(2, 64);

    FolderFilesTest() { fs::create_directories(folder); }
    ~FolderFilesTest() override { fs::remove_all(folder); }

    void plant(const fs::path& name, std::string_view bytes, std::chrono::hours age = {}) {
        std::ofstream(folder / name) << bytes;
        fs::last_write_time(folder / name, fs::file_time_type::clock::now() - age);
    }
    std::vector<std::string> hidden() const {
        std::vector<std::string> out;
        for (const auto& each : fs::directory_iterator(folder))
            if (each.path().filename().string().starts_with('.'))
                out.push_back(each.path().filename());
        std::ranges::sort(out);
        return out;
    }
};

// Two containers: the same process id, and each at its first file.
Task<> together(Offload& offload, std::string folder) {
    SystemRandom random;
    const std::string names[] = {"posters/a", "posters/b"};
    static constexpr auto put = [](Files& to, std::string name, std::string bytes) -> Task<> {
        const auto stored = co_await to.put(Context{}, name, std::move(bytes), "image/png");
        EXPECT_TRUE(stored) << stored.error().text();
    };
    for (int round = 0; round < 8; ++round) {
        const auto one = make_folder_files(offload, random, folder);
        const auto other = make_folder_files(offload, random, folder);
        const std::string bytes[] = {std::string(4'000'000, 'a'), std::string(3'000'000, 'b')};
        Nursery both;
        both.spawn(put(*one, names[0], bytes[0]));
        both.spawn(put(*other, names[1], bytes[1]));
        must(co_await both.drained(Context{}));
        for (int i = 0; i < 2; ++i)
            EXPECT_TRUE(must(co_await one->get(Context{}, names[i])) == bytes[i]) << names[i];
    }
}
TEST_F(FolderFilesTest, two_processes_at_one_folder_do_not_write_into_one_anothers_files) {
    run_to_end(*loop, together(*offload, folder));
    EXPECT_TRUE(hidden().empty());
}

// As if both had drawn the same name.
Task<> same_name(Offload& offload, std::string folder, std::string& planted) {
    SeededRandom random(3), same(3);
    unsigned char drawn[16];
    same.fill(drawn);
    planted = "." + hex(drawn);
    std::ofstream(fs::path(folder) / planted) << "another's";
    const auto files = make_folder_files(offload, random, folder);
    const auto refused = co_await files->put(Context{}, "posters/a", "mine", "image/png");
    EXPECT_EQ(refused ? Code::INTERNAL : refused.error().code(), Code::UNAVAILABLE);
    must(co_await files->put(Context{}, "posters/a", "mine", "image/png"));
    EXPECT_EQ(must(co_await files->get(Context{}, "posters/a")), "mine");
}
TEST_F(FolderFilesTest, a_name_that_another_uses_is_left_to_him) {
    std::string planted, bytes;
    run_to_end(*loop, same_name(*offload, folder, planted));
    std::getline(std::ifstream(folder / planted), bytes);
    EXPECT_EQ(bytes, "another's");
}

TEST_F(FolderFilesTest, what_a_process_that_was_killed_left_is_gone_after_a_day) {
    using std::chrono::hours;
    const std::string digits(32, 'e'), old = "." + digits, fresh = "." + std::string(32, '0');
    plant(old, "half a po", hours(25));
    plant(fresh, "half a po", hours(23)); // it may be under way
    // Another's, whatever its age.
    const std::vector<std::string> others = {"." + std::string(32, 'g'), old + "0", ".nfs000001"};
    for (const std::string& each : others) plant(each, "x", hours(2500));
    plant(digits, "x", hours(2500));
    fs::create_directories(folder / ("." + std::string(32, 'd')));
    SystemRandom random;
    const auto files = make_folder_files(*offload, random, folder);
    std::vector<std::string> left = others;
    left.push_back(fresh);
    left.push_back("." + std::string(32, 'd'));
    std::ranges::sort(left);
    EXPECT_EQ(hidden(), left);
    EXPECT_TRUE(fs::exists(folder / digits));
    // A folder that is not there yet is made with the first file.
    make_folder_files(*offload, random, folder / "none");
    EXPECT_FALSE(fs::exists(folder / "none"));
}

} // namespace
} // namespace urr
