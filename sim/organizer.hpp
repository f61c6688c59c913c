// The organizer and the operator: makes and publishes the event by the admin's routes, and pulls
// queue's levers while the sale runs.
#pragma once
#include "sim/fan.hpp"

namespace urr::sim {

class Organizer {
public:
    explicit Organizer(Stage& stage);
    // Before any trouble: makes the event, publishes it, tells the stage.
    Task<> open_sale();
    bool open() const { return open_; }
    // Pauses, resumes and changes the threshold until told to stop; leaves the line running.
    Task<> pull_levers();
    void stop() { stopping_ = true; }
    bool stopped() const { return stopped_; }

private:
    Task<Answer> ask(Method method, std::string path, std::string body);

    Stage& stage_;
    SeededRandom random_;
    std::string access_token_;
    bool open_ = false, stopping_ = false, stopped_ = false;
};

} // namespace urr::sim
