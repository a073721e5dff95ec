// Starts Swagger UI. A file of its own: the page's policy allows no inline scripts.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null, // no other server is asked anything
  presets: [SwaggerUIBundle.presets.apis],
});
