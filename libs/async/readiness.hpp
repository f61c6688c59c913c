// Readiness of a descriptor that another library owns (libpq): tells when it can be read or
// written.
//
//     Readiness readiness(loop, PQsocket(connection), *this);
//     readiness.want(true, false);              // ready() is called once, at the loop
//
// The descriptor stays its owner's: destroy this before it is closed. One loop.
#pragma once
#include <memory>

#include "libs/async/loop.hpp"

namespace urr {

class Readiness {
public:
    class Listener {
    public:
        virtual void ready() = 0;

    protected:
        ~Listener() = default;
    };

    Readiness(RunLoop& loop, int descriptor, Listener& listener);
    ~Readiness();
    Readiness(const Readiness&) = delete;
    Readiness& operator=(const Readiness&) = delete;

    // ready() is called when the first of what is wanted has come; what was wanted before stays.
    void want(bool reading, bool writing);

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace urr
