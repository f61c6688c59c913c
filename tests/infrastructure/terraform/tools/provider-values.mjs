// What the stand-in makes up: identities, ARNs and names of the shape that AWS gives, the answers of
// data sources, and which arguments AWS cannot change in place.
import crypto from 'node:crypto';

export const ACCOUNT = '111122223333';

const short = (type) => type.replace(/^aws_/, '');

// Attributes whose shape other resources depend on.
const SHAPED = {
    account_id: () => ACCOUNT,
    region: (_, region) => region,
    issuer: (identity, region) =>
        `https://oidc.eks.${region}.amazonaws.com/id/${identity.slice(-12).toUpperCase()}`,
    invoke_arn: (identity, region) =>
        `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${region}:${ACCOUNT}:function:${identity}/invocations`,
    api_endpoint: (identity, region) => `https://${identity}.execute-api.${region}.amazonaws.com`,
    repository_url: (identity, region) => `${ACCOUNT}.dkr.ecr.${region}.amazonaws.com/${identity}`,
    bucket_regional_domain_name: (identity, region) => `${identity}.s3.${region}.amazonaws.com`,
    url: (identity, region) => `https://sqs.${region}.amazonaws.com/${ACCOUNT}/${identity}`,
};

// The outputs of a CloudFormation stack: each names a resource of the template.
function stackOutputs(stack, region) {
    const template = JSON.parse(stack.template_body);
    return Object.fromEntries(
        Object.entries(template.Outputs ?? {}).map(([name, { Value: value }]) => {
            const target = value.Ref ?? value['Fn::GetAtt']?.[0];
            const [, service, kind] = template.Resources[target].Type.split('::');
            return [
                name,
                `arn:aws:${service.toLowerCase()}:${region}:${ACCOUNT}:${kind.toLowerCase()}:${stack.name}-${target}`,
            ];
        }),
    );
}

// The identity that AWS derives from an argument, where it does.
const named = (type, object) =>
    ({
        aws_s3_bucket: object.bucket,
        aws_lambda_function: object.function_name,
        aws_ecr_repository: object.name,
        aws_sqs_queue: object.name,
    })[type];

function ofType(type, name, fieldType, identity, region) {
    if (fieldType === 'number') return 0;
    if (fieldType === 'bool') return false;
    if (fieldType === 'dynamic') return null;
    if (fieldType === 'string') {
        if (SHAPED[name]) return SHAPED[name](identity, region);
        if (name === 'id') return identity;
        if (name === 'arn' || name.endsWith('_arn'))
            return `arn:aws:${short(type)}:${region}:${ACCOUNT}:${identity}`;
        return `${name.replaceAll('_', '-')}.${identity}`;
    }
    const [kind, element] = fieldType;
    if (kind === 'map') return {};
    if (kind === 'object') {
        return Object.fromEntries(
            Object.entries(element).map(([k, t]) => [k, ofType(type, k, t, identity, region)]),
        );
    }
    return [ofType(type, name, element, identity, region)];
}

export const madeUp = {
    identity: (type) =>
        `${short(type).replaceAll('_', '-')}-${crypto.randomBytes(6).toString('hex')}`,
    value(type, field, identity, region, object) {
        if (type === 'aws_cloudformation_stack' && field.name === 'outputs')
            return stackOutputs(object, region);
        if (field.name === 'tags_all') return object.tags ?? {};
        if (type === 'aws_acm_certificate' && field.name === 'domain_validation_options') {
            return [
                object.domain_name,
                ...(Array.isArray(object.subject_alternative_names)
                    ? object.subject_alternative_names
                    : []),
            ]
                .filter((name, i, all) => all.indexOf(name) === i)
                .map((name) => ({
                    domain_name: name,
                    resource_record_name: `_check.${name}`,
                    resource_record_type: 'CNAME',
                    resource_record_value: `${identity}.acm-validations.aws`,
                }));
        }
        const own = named(type, object);
        return ofType(
            type,
            field.name,
            field.type,
            typeof own === 'string' ? own : identity,
            region,
        );
    },
};

export function dataValues(type, config, region) {
    switch (type) {
        case 'aws_caller_identity':
            return { account_id: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, id: ACCOUNT };
        case 'aws_region':
            return { region, name: region, id: region };
        case 'aws_partition':
            return { partition: 'aws', dns_suffix: 'amazonaws.com', id: 'aws' };
        case 'aws_ec2_managed_prefix_list':
            return { id: `pl-of-${config.name}` };
        case 'aws_cloudfront_cache_policy':
        case 'aws_cloudfront_origin_request_policy':
            return { id: config.name };
        default:
            return {};
    }
}

const REPLACED = {
    aws_vpc: ['cidr_block'],
    aws_acm_certificate: ['domain_name', 'subject_alternative_names'],
    aws_route53_zone: ['name'],
    aws_subnet: ['cidr_block', 'availability_zone', 'vpc_id'],
    aws_sqs_queue: ['name', 'fifo_queue'],
    aws_db_instance: [
        'engine',
        'db_subnet_group_name',
        'storage_encrypted',
        'kms_key_id',
        'identifier',
    ],
    aws_dynamodb_table: ['name', 'hash_key', 'range_key'],
    aws_elasticache_replication_group: ['replication_group_id', 'subnet_group_name'],
    aws_eks_cluster: ['name', 'role_arn'],
    aws_eks_node_group: ['node_group_name', 'capacity_type', 'subnet_ids'],
    aws_ecr_repository: ['name'],
    aws_lambda_function: ['function_name'],
    aws_msk_cluster: ['cluster_name'],
    aws_s3_bucket: ['bucket'],
    aws_cloudwatch_log_group: ['name'],
    aws_lb: ['name', 'internal'],
};

export const replacedBy = (type, prior, planned) =>
    (REPLACED[type] ?? []).filter(
        (name) => JSON.stringify(prior[name]) !== JSON.stringify(planned[name]),
    );
