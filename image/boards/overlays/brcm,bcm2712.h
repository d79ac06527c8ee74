// Raspberry Pi 5, connector CAM/DISP 1. The kernel's tree leaves the header's bus off and without pins.
#define HEADER_BUS rp1_i2c1
#define HEADER_BUS_GROUP "i2c1_0"
#define CAMERA_BUS rp1_i2c4
#define CAMERA_RECEIVER rp1_csi1
#define CAMERA_POWER_LINE &rp1_gpio 46
#define FAN_LINE 45
