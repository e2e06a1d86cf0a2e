-- Makes wrk end with one line of JSON: exact counts, microseconds, and every kind of failure.
done = function(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format(
    '\nREPORT {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    failed.connect, failed.read, failed.write, failed.status, failed.timeout))
end

-- With the argument "distinct" no two requests have the same query, in this run and in those before it. With "cycle" and a
-- number they go round so many queries.
init = function(args)
  local run, count = args[2], 0
  if args[1] == "distinct" then
    request = function()
      count = count + 1
      return wrk.format("GET", wrk.path .. "?" .. run .. "-" .. count)
    end
  elseif args[1] == "cycle" then
    request = function()
      count = (count + 1) % tonumber(run)
      return wrk.format("GET", wrk.path .. "?" .. count)
    end
  end
end
