include $(sort $(wildcard $(BR2_EXTERNAL_RCCAR_PATH)/package/*/*.mk))

# The camera of an emulated car. Upstream has no option for this pipeline.
LIBCAMERA_PIPELINES-$(BR2_PACKAGE_RCCAR_LIBCAMERA) += virtual
