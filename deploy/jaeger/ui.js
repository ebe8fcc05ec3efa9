// Jaeger's pages. A script and not JSON, because the links need the host by which the
// browser reached Jaeger. If the lab or Grafana has another port (LAB_PORT, GRAFANA_PORT),
// change it here too.
function UIConfig() {
  const host = "http://" + window.location.hostname;
  return {
    // The dashboard Services shows the same from the same metrics. The tab can show no
    // latency, because it expects metrics in milliseconds.
    monitor: { menuEnabled: false },
    linkPatterns: [
      {
        type: "traces",
        key: "traceID",
        url: host + ":5301/traces/#{traceID}",
        text: "This order in the lab",
      },
      {
        type: "traces",
        key: "traceID",
        url: host + ":3000/d/one-order?var-trace=#{traceID}",
        text: "This order in Grafana",
      },
    ],
  };
}
