-- wrk: post the file named by BENCH_BODY; print one line of JSON at the end, latencies in milliseconds.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*all")
wrk.headers["Content-Type"] = "application/json"
file:close()

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\n{"rps": %.2f, "p50": %.4f, "p99": %.4f, "max": %.4f, "requests": %d, "errors": %d}\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3, summary.requests, e.connect + e.read + e.write + e.status + e.timeout))
end
