// The trace of a run: one line per thing that happened, in the order in which it happened. Equal
// runs have equal traces; a failing seed is read from its trace. One thread.
#pragma once
#include <cstdio>
#include <string>

#include "libs/async/sim_loop.hpp"

namespace urr::sim {

class Trace {
public:
    // `print`: to stdout while it happens; `keep`: for a test that compares two runs.
    Trace(const SimWorld& world, bool print, bool keep)
        : world_(world), print_(print), keep_(keep) {}

    void note(const std::string& line) {
        char time[48];
        std::snprintf(time, sizeof time, "%8.3f %7llu  ", double(world_.now().us) / 1e6,
                      static_cast<unsigned long long>(world_.steps()));
        mix(time);
        mix(line);
        if (print_) std::printf("%s%s\n", time, line.c_str());
        if (keep_) text_.append(time).append(line).append("\n");
    }
    std::uint64_t digest() const { return digest_; }
    const std::string& text() const { return text_; }

private:
    void mix(std::string_view bytes) {
        for (const char c : bytes)
            digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }

    const SimWorld& world_;
    const bool print_, keep_;
    std::string text_;
    std::uint64_t digest_ = 0xcbf29ce484222325;
};

} // namespace urr::sim
