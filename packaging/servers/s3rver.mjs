#!/usr/bin/env node
// An S3 server for the tests: s3rver.mjs HOST:PORT FOLDER BUCKET. Its key is S3RVER, its secret too.
import S3rver from 's3rver';

const [address, directory, bucket] = process.argv.slice(2);
const [host, port] = address.split(':');

await new S3rver({ address: host, port: Number(port), directory, silent: true, configureBuckets: [{ name: bucket }] }).run();
