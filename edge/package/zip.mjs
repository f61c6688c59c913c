// Writes a ZIP archive: names in the order given, no compression, no times, so that the same content
// always makes the same bytes (and Terraform sees no change where there is none).

const table = Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; ++bit) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value >>> 0;
});

export function crc32(bytes) {
    let sum = 0xffffffff;
    for (const byte of bytes) sum = table[(sum ^ byte) & 0xff] ^ (sum >>> 8);
    return (sum ^ 0xffffffff) >>> 0;
}

const EPOCH = 0x21; // 1 January 1980, the earliest date that the format knows

function header(signature, fields) {
    const bytes = Buffer.alloc(4 + fields.reduce((sum, [size]) => sum + size, 0));
    bytes.writeUInt32LE(signature, 0);
    let at = 4;
    for (const [size, value] of fields) {
        bytes.writeUIntLE(value, at, size);
        at += size;
    }
    return bytes;
}

// files: [{ name, content, executable }]. The function's custom runtime wants `bootstrap` executable.
export function zip(files) {
    const local = [],
        central = [];
    let offset = 0;
    for (const { name, content, executable = false } of files) {
        const title = Buffer.from(name),
            data = Buffer.from(content);
        const common = [
            [2, 20],
            [2, 0x0800],
            [2, 0],
            [2, 0],
            [2, EPOCH],
            [4, crc32(data)],
            [4, data.length],
            [4, data.length],
            [2, title.length],
            [2, 0],
        ];
        const entry = Buffer.concat([header(0x04034b50, common), title, data]);
        const mode = (executable ? 0o100755 : 0o100644) * 0x10000;
        central.push(
            header(0x02014b50, [
                [2, 0x0314],
                ...common,
                [2, 0],
                [2, 0],
                [2, 0],
                [4, mode],
                [4, offset],
            ]),
            title,
        );
        local.push(entry);
        offset += entry.length;
    }
    const directory = Buffer.concat(central);
    const end = header(0x06054b50, [
        [2, 0],
        [2, 0],
        [2, files.length],
        [2, files.length],
        [4, directory.length],
        [4, offset],
        [2, 0],
    ]);
    return Buffer.concat([...local, directory, end]);
}
