// Jaeger's pages. A script and not JSON, because the link to Grafana needs the host by
// which the browser reached Jaeger. If Grafana has another port (GRAFANA_PORT), change
// it here too.
function UIConfig() {
  return {
    // The dashboard Services shows the same from the same metrics. The tab can show no
    // latency, because it expects metrics in milliseconds.
    monitor: { menuEnabled: false },
    linkPatterns: [
      {
        type: "traces",
        key: "traceID",
        url: "http://" + window.location.hostname + ":3000/d/one-order?var-trace=#{traceID}",
        text: "This order in Grafana",
      },
    ],
  };
}
