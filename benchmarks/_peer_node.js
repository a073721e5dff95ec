// A peer of the sending benchmark: firebase-admin for Node.js, `sendEach` with 500 messages a call, `at_once` calls
// side by side. Called with a JSON file (modules, credentials, project, bodies, tokens, at_once).
const fs = require('fs'), http2 = require('http2'), path = require('path');
const task = JSON.parse(fs.readFileSync(process.argv[2]));
// The library sends ":scheme: https:" with a colon, which nginx refuses since 1.21: repaired on its way out.
const connect = http2.connect;
http2.connect = (...given) => {
  const session = connect(...given), request = session.request.bind(session);
  session.request = (headers, options) => {
    if (headers[':scheme'] === 'https:') headers[':scheme'] = 'https';
    return request(headers, options);
  };
  return session;
};
const library = path.join(task.modules, 'node_modules', 'firebase-admin', 'lib');
const { initializeApp, cert } = require(path.join(library, 'app'));
const { getMessaging } = require(path.join(library, 'messaging'));
initializeApp({ credential: cert(JSON.parse(fs.readFileSync(task.credentials))), projectId: task.project });
const messaging = getMessaging();

// The same message in this library's own words.
const kinds = task.bodies.map(body => {
  const { notification, data, android } = JSON.parse(body).message, shown = android.notification;
  return {
    notification, data,
    android: {
      priority: android.priority.toLowerCase(), ttl: parseInt(android.ttl) * 1000,
      directBootOk: android.direct_boot_ok, bandwidthConstrainedOk: android.bandwidth_constrained_ok,
      restrictedSatelliteOk: android.restricted_satellite_ok,
      notification: {
        channelId: shown.channel_id, tag: shown.tag, color: shown.color,
        visibility: shown.visibility.toLowerCase(),
        priority: shown.notification_priority.replace('PRIORITY_', '').toLowerCase(),
      },
    },
  };
});

(async () => {
  const first = await messaging.sendEach([{ ...kinds[0], token: task.tokens[0] }]);
  if (first.failureCount) { console.error(String(first.responses[0].error)); process.exit(1); }
  const began = process.cpuUsage();
  let next = 0, accepted = 0;
  async function caller() {
    while (next < task.tokens.length) {
      const from = next, call = [];
      next += 500;
      for (let i = from; i < Math.min(from + 500, task.tokens.length); i++)
        call.push({ ...kinds[i % kinds.length], token: task.tokens[i] });
      accepted += (await messaging.sendEach(call)).successCount;
    }
  }
  await Promise.all(Array.from({ length: task.at_once }, caller));
  const used = process.cpuUsage(began);
  console.log(JSON.stringify({ accepted, cpu_s: (used.user + used.system) / 1e6 }));
  process.exit(0);
})();
