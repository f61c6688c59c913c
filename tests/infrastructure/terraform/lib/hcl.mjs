// Reads variables and outputs of a folder's .tf files: enough of HCL for blocks as terraform fmt lays
// them out.
import fs from 'node:fs';
import path from 'node:path';

function blocks(kind, folder) {
    const found = [];
    for (const file of fs
        .readdirSync(folder)
        .filter((f) => f.endsWith('.tf'))
        .sort()) {
        const text = fs.readFileSync(path.join(folder, file), 'utf8');
        for (const match of text.matchAll(
            new RegExp(`^${kind} "(\\w+)" \\{\\n([\\s\\S]*?)\\n\\}`, 'gm'),
        )) {
            found.push({ name: match[1], body: match[2], file });
        }
    }
    return found;
}

const argument = (body, name) =>
    body.match(new RegExp(`^  ${name} += (.*(?:\\n    .*)*(?:\\n  [\\]})].*)?)`, 'm'))?.[1];

export const variables = (folder) =>
    blocks('variable', folder).map(({ name, body, file }) => ({
        name,
        file,
        body,
        type: argument(body, 'type'),
        description: argument(body, 'description')?.replace(/^"|"$/g, ''),
        default: argument(body, 'default'),
        sensitive: /^  sensitive += true/m.test(body),
        validated: /^  validation \{/m.test(body),
    }));

export const outputs = (folder) =>
    blocks('output', folder).map(({ name, body }) => ({
        name,
        description: argument(body, 'description')?.replace(/^"|"$/g, ''),
    }));
