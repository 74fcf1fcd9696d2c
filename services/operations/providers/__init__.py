"""Registration of the resource providers that connected registries need with a site's subscription."""
