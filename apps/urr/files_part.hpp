// Files as a part of the program, of ticket: the posters of events. S3 where URR_FILES_BUCKET is
// set; otherwise a folder. On embedded stores that is one below URR_DATA by itself; on PostgreSQL,
// where ticket may run in several copies whose own folders differ, it has to be named, and without
// one or a bucket posters are off.
#pragma once
#include "libs/aws/files.hpp"
#include "libs/aws/service.hpp"
#include "services/ticket/posters.hpp"

namespace urr::app {

inline constexpr SettingRow files_settings[] = {
    {"URR_FILES_FOLDER", Kind::text, "",
     "folder of posters; empty: files in URR_DATA, and on PostgreSQL none: name one that all "
     "copies of ticket share, or a bucket"},
    {"URR_FILES_BUCKET", Kind::text, "", "S3 bucket of posters, in place of a folder"},
    {"URR_FILES_ENDPOINT", Kind::text, "", "address of S3; empty: AWS's of the region"},
    {"URR_FILES_STYLE", Kind::text, "host",
     "where the bucket stands in addresses: host (BUCKET.HOST) or path (HOST/BUCKET)"},
};

bool uses_s3(const Settings& settings);
// What is wrong with the settings above.
void check_files(const Settings& settings, std::vector<FieldError>& faults);

class FilesPart {
public:
    // Empty where posters are off. UNAVAILABLE or VALIDATION_FAILED with a text for the operator.
    static Result<std::unique_ptr<FilesPart>> make(const Settings& settings, RunLoop& loop,
                                                   const Clock& clock, Random& random);
    ticket::PosterFiles posters() { return {files_.get(), offload_.get()}; }

private:
    std::unique_ptr<Offload> offload_;
    std::unique_ptr<aws::Service> s3_;
    std::unique_ptr<Files> files_;
};

// For `urr doctor`: whether the bucket is there, in three seconds. Runs a loop of its own.
Result<std::string> look_at_s3(const Settings& settings, const Clock& clock);
// For `urr migrate`: makes the bucket where there is none. Runs a loop of its own.
Result<> migrate_s3(const Settings& settings, const Clock& clock);

} // namespace urr::app
