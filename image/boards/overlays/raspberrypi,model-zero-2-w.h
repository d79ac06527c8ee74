// Zero 2 W: as a Raspberry Pi 3, but the camera is switched by a pin of the chip.
#define HEADER_BUS i2c1
#define HEADER_PWM_PINS <&pwm0_gpio12 &pwm1_gpio13>
#define CAMERA_BUS i2c0
#define CAMERA_BUS_PINS i2c0_gpio44
#define CAMERA_RECEIVER csi1
#define CAMERA_POWER_LINE &gpio 40
