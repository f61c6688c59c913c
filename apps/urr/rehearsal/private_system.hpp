// A whole installation of its own in a temporary folder, run by this very program as a child: what
// `stampede --self` sends its fans at. Gone, folder and all, with its destructor.
//
//     auto system = TRY_PLAIN(PrivateSystem::make(1000));
//     system->start();
//     ... requests to 127.0.0.1:system->port() ...
//     bool well = system->stop();      // SIGTERM; true: it ended by itself with status 0
//
// One thread. The child is told to end when we do, however we end.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "apps/urr/rehearsal/stampede.hpp"

namespace urr::app {

class PrivateSystem final : public Victim {
public:
    // How long a seat is held there: short, so that a rehearsal sees holds end.
    static constexpr int hold_seconds = 10;

    // Folder, keys and one published event of so many seats. UNAVAILABLE with what went wrong.
    static Result<std::unique_ptr<PrivateSystem>> make(std::int64_t seats);
    ~PrivateSystem() override;

    void start();
    bool stop();
    void kill_and_restart() override;
    const std::string& folder() const { return folder_; }
    std::uint16_t port() const { return port_; }

private:
    PrivateSystem() = default;
    pid_t spawn(const std::vector<std::string>& arguments) const;
    bool run(const std::vector<std::string>& arguments) const;
    void set_environment() const;

    std::string folder_;
    std::uint16_t port_ = 0, room_port_ = 0;
    pid_t server_ = -1;
};

} // namespace urr::app
