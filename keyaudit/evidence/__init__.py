"""Evidence that stands up: samples that anybody can draw again, bundles that anybody can replay."""
