-- Makes wrk end with one line of JSON: exact counts, microseconds, and every kind of failure.
done = function(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format(
    '\nREPORT {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    failed.connect, failed.read, failed.write, failed.status, failed.timeout))
end
