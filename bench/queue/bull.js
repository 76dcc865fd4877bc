// bull.js puts the load on BullMQ and prints the figures, as package load does. The load comes from there, as JSON.

const { Queue, Worker } = require('bullmq')
const Redis = require('ioredis')

const load = JSON.parse(process.argv[2])
const address = process.env.QUEUE_SERVER
const connect = () => new Redis(address, { maxRetriesPerRequest: null }) // null is what BullMQ asks for
const now = () => Number(process.hrtime.bigint()) / 1e6 // ms
const sleep = ms => new Promise(done => setTimeout(done, ms))
const fail = what => { throw new Error(what) }
const queue = new Queue('noop', { connection: connect(), defaultJobOptions: { removeOnComplete: true, attempts: 3 } })

const left = async () => Object.values(await queue.getJobCounts()).reduce((sum, n) => sum + n, 0)

async function holds(want) {
  const n = await left()
  if (n !== want) fail(`holds ${n} jobs; ${want} were accepted`)
}

async function produce(from, limit) {
  let next = from, accepted = 0
  const until = now() + limit
  await Promise.all(Array.from({ length: load.Producers }, async () => {
    while (next < load.Jobs && now() < until) {
      await queue.add('noop', { n: next++ })
      accepted++
    }
  }))
  return accepted
}

// start runs the workers; seen counts what they handled.
function start(seen, handle = () => {}) {
  return new Worker('noop', async job => {
    seen.set(job.data.n, (seen.get(job.data.n) ?? 0) + 1)
    handle(job.data.n)
  }, { connection: connect(), concurrency: load.Workers })
}

async function finish(seen, n, until) {
  while (seen.size < n && now() < until) await sleep(1)
  const handled = seen.size >= n
  let rest
  for (until = now() + load.Record; (rest = await left()) > 0 && handled && now() < until;) await sleep(2)
  if (rest > 0 && handled) fail(`${rest} of ${n} jobs were handled but not recorded as done`)
  if (n - rest > seen.size) fail(`${n - rest} jobs are gone, but only ${seen.size} were handled`)
  for (const [job, times] of seen) if (times > 1) fail(`job ${job} was handled ${times} times`)
  return n - rest
}

const perSecond = (n, began) => n / (now() - began) * 1e3
const reset = () => queue.obliterate({ force: true })

async function run() {
  await queue.waitUntilReady()
  const figures = {}

  let began = now()
  let n = await produce(0, load.Limit)
  figures['enqueue/s'] = perSecond(n, began)
  await holds(n)
  await reset()

  began = now()
  for (n = 0; n < load.Jobs && now() - began < load.Limit; n += load.Batch) {
    await queue.addBulk(Array.from({ length: load.Batch }, (_, i) => ({ name: 'noop', data: { n: n + i } })))
  }
  figures['bulk/s'] = perSecond(n, began)
  await produce(n, 60_000)
  await holds(load.Jobs)
  let seen = new Map()
  began = now()
  let worker = start(seen)
  figures['drain/s'] = perSecond(await finish(seen, load.Jobs, began + load.DrainLimit), began)
  await worker.close()
  await reset()

  seen = new Map()
  began = now()
  worker = start(seen)
  n = await produce(0, load.Limit)
  figures['work/s'] = perSecond(await finish(seen, n, now() + load.WorkGrace), began)
  await worker.close()
  await reset()

  let started
  worker = start(new Map(), job => started({ job, at: now() }))
  await worker.waitUntilReady()
  await sleep(300)
  const ms = []
  began = now()
  for (let i = 0; i < load.Samples && now() - began < load.SamplesLimit; i++) {
    const start = new Promise(resolve => { started = resolve })
    const called = now()
    await queue.add('noop', { n: i })
    const { job, at } = await Promise.race([start, sleep(load.Lost).then(() => fail(`job ${i} did not start`))])
    if (job !== i) fail(`job ${job} started; want ${i}`)
    ms.push(at - called)
    await sleep(3 + i * 7 % 11)
  }
  ms.sort((a, b) => a - b)
  figures['p50-ms'] = ms[ms.length >> 1]
  figures['p99-ms'] = ms[Math.floor(ms.length * 0.99)]
  console.log('BenchmarkQueue 1', ...Object.entries(figures).flatMap(([unit, v]) => [v.toFixed(3), unit]))
}

run().then(() => process.exit(0), err => {
  console.error(err)
  process.exit(1)
})
