"""Telegrams from an MQTT broker: `submeter worker` subscribes where SUBMETER_MQTT_URL is set."""
