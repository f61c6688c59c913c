// The public keys. This file stands for none; edge/package/build writes the package's own.
export const keys = [];
