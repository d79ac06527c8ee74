# vimc as a stand-in for a Pi's camera: libcamera takes a media device by its driver's name, and its sensor by what it can do. A line: a
# file and what sed does in it; one that changes nothing ends the build.
# The driver calls itself as that of the receiver does.
vimc-common.h s/^#define VIMC_PDEV_NAME "vimc"/#define VIMC_PDEV_NAME "unicam"/
# The first sensor is called as an imx219 on a bus is.
vimc-core.c s/"Sensor A"/"imx219 1-0010"/
# It has one size and one format, as a mode of a sensor.
vimc-common.h s/^#define VIMC_FRAME_MAX_WIDTH 4096/#define VIMC_FRAME_MAX_WIDTH 640/
vimc-common.h s/^#define VIMC_FRAME_MAX_HEIGHT 2160/#define VIMC_FRAME_MAX_HEIGHT 480/
vimc-sensor.c s/u32 mbus_code = vimc_mbus_code_by_index(code->index);/u32 mbus_code = code->index ? 0 : MEDIA_BUS_FMT_SRGGB10_1X10;/
# It has exposure and gain, without which libcamera takes no sensor; the picture does not follow them.
vimc-sensor.c s/^	\/\* Timing controls for frame interval configuration \*\/$/	v4l2_ctrl_new_std(\&vsensor->hdl, NULL, V4L2_CID_EXPOSURE, 4, 1600, 1, 800);\n	v4l2_ctrl_new_std(\&vsensor->hdl, NULL, V4L2_CID_ANALOGUE_GAIN, 0, 232, 1, 0);/
# vimc's own way to a picture would have to agree with the sensor's format, too.
vimc-core.c /VIMC_DATA_LINK(SENSOR_A, 0, DEBAYER_A, 0,/{n;s/MEDIA_LNK_FL_ENABLED | MEDIA_LNK_FL_IMMUTABLE/0/}
