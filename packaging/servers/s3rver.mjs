#!/usr/bin/env node
// An S3 server for the tests: s3rver.mjs HOST:PORT FOLDER BUCKET [CERTIFICATE KEY]. Its key is S3RVER, its secret too.
import { readFileSync } from 'node:fs';
import S3rver from 's3rver';

const [address, directory, bucket, certificate, key] = process.argv.slice(2);
const [host, port] = address.split(':');
const tls = certificate ? { cert: readFileSync(certificate), key: readFileSync(key) } : {};

await new S3rver({ address: host, port: Number(port), directory, silent: true, configureBuckets: [{ name: bucket }], ...tls }).run();
