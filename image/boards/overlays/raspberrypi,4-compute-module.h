// Compute Module 4 on its IO board, connector CAM1. Its tree has no supply for cameras.
#define HEADER_BUS i2c1
#define HEADER_PWM_PINS <&pwm0_0_gpio12 &pwm0_1_gpio13>
#define CAMERA_BUS i2c0_1
#define CAMERA_RECEIVER csi1
#define CAMERA_POWER_LINE &expgpio 5
