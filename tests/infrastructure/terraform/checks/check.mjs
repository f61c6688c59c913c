// A check is a row of the architecture (or a policy), what it says, and a function that throws when the
// plans say otherwise. Checks are data, so that the planted mistakes can be run against them too.
export const check = (row, says, run) => ({ row, says, run });

// The same in both environments.
export const both = (row, says, run) =>
    check(row, says, ({ prod, staging }) => {
        run(prod, 'prod');
        run(staging, 'staging');
    });
