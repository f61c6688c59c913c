// Where the bindings say less than the provider does: recursive statements of a web ACL, types that a
// set may not hold, and what the provider's own configuration block takes.

const attribute = (name, type, mode = 'optional') => ({
    name,
    type,
    required: mode === 'required',
    optional: mode === 'optional',
    computed: false,
});
const block = (attributes = [], block_types = []) => ({ attributes, block_types });
const nested = (type_name, content, { many = false, min = 0 } = {}) => ({
    type_name,
    block: content,
    nesting: 2,
    min_items: min,
    max_items: many ? 0 : 1,
});

// The statements that a rate limit and the managed rule groups need, three levels deep.
function webAclStatement() {
    const byteMatch = nested(
        'byte_match_statement',
        block(
            [
                attribute('search_string', 'string', 'required'),
                attribute('positional_constraint', 'string', 'required'),
            ],
            [
                nested('field_to_match', block([], [nested('uri_path', block())])),
                nested(
                    'text_transformation',
                    block([
                        attribute('priority', 'number', 'required'),
                        attribute('type', 'string', 'required'),
                    ]),
                    { many: true, min: 1 },
                ),
            ],
        ),
    );
    const inner = nested('statement', block([], [byteMatch]), { min: 1 });
    const scope = nested(
        'scope_down_statement',
        block([], [byteMatch, nested('not_statement', block([], [inner]))]),
    );
    const override = nested(
        'rule_action_override',
        block(
            [attribute('name', 'string', 'required')],
            [
                nested(
                    'action_to_use',
                    block(
                        [],
                        [
                            nested('count', block()),
                            nested('block', block()),
                            nested('allow', block()),
                        ],
                    ),
                    { min: 1 },
                ),
            ],
        ),
        { many: true },
    );
    return nested(
        'statement',
        block(
            [],
            [
                nested(
                    'rate_based_statement',
                    block(
                        [
                            attribute('limit', 'number', 'required'),
                            attribute('aggregate_key_type', 'string'),
                            attribute('evaluation_window_sec', 'number'),
                        ],
                        [scope],
                    ),
                ),
                nested(
                    'managed_rule_group_statement',
                    block(
                        [
                            attribute('name', 'string', 'required'),
                            attribute('vendor_name', 'string', 'required'),
                            attribute('version', 'string'),
                        ],
                        [override, scope],
                    ),
                ),
            ],
        ),
        { min: 1 },
    );
}

// A set cannot hold values of a dynamic type.
function withoutDynamicInSets(content, inSet) {
    for (const field of content.attributes)
        if (inSet && field.type === 'dynamic') field.type = 'string';
    for (const child of content.block_types)
        withoutDynamicInSets(child.block, inSet || child.nesting === 3);
}

export function patch(schemas) {
    const rule = schemas.resources.aws_wafv2_web_acl?.block_types.find(
        (b) => b.type_name === 'rule',
    );
    if (rule) {
        rule.block.attributes = rule.block.attributes.filter((a) => a.name !== 'statement');
        rule.block.block_types = rule.block.block_types.filter((b) => b.type_name !== 'statement');
        rule.block.block_types.push(webAclStatement());
    }
    schemas.provider = block(
        [attribute('region', 'string'), attribute('allowed_account_ids', ['set', 'string'])],
        [nested('default_tags', block([attribute('tags', ['map', 'string'])]))],
    );
    const all = [...Object.values(schemas.resources), ...Object.values(schemas.data)];
    for (const content of all) withoutDynamicInSets(content, false);
}
