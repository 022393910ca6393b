-- wrk: POST a 100-byte JSON event, and count every answer that is not a plain success.
-- Arguments after `--` are paths that are called in turn.
wrk.method = "POST"
wrk.body = '{"id":12345678,"name":"a name of some length","tags":["one","two","three"],"active":true,"value":1.5}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-easyfaas-Account-Id"] = "df391b08c64c426a81645468c75163a5"

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(paths)
  failed = 0
  if #paths > 0 then
    local requests, next_one = {}, 0
    for i, path in ipairs(paths) do
      requests[i] = wrk.format(nil, path)
    end
    request = function()
      next_one = next_one % #requests + 1
      return requests[next_one]
    end
  end
end

function response(status, headers)
  if status ~= 200 or headers["X-Easyfaas-Function-Error"] then
    failed = failed + 1
  end
end

function done(summary, latency)
  local failed = 0
  for _, thread in ipairs(threads) do
    failed = failed + thread:get("failed")
  end
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"p50":%d,"p99":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    failed + e.connect + e.read + e.write + e.timeout))
end
